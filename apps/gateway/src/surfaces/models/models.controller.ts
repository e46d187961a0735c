import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import { GatewayError, type Candidate } from '@tokenhub/core';
import type { FastifyRequest } from 'fastify';
import type { ChatServices } from '../../complete-chat.ts';
import { callerOf } from '../../http/caller.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { DescribeRoute } from '../../http/describe-route.ts';

/** One model as OpenAI lists it, with what a caller needs to choose. */
interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: 0;
  /** Ids of the providers that serve it; those of the demonstration are called `simulated-…`. */
  readonly owned_by: string;
  readonly context_length: number | null;
  readonly max_model_len: number | null;
  readonly max_output_tokens: number | null;
  readonly weight: number;
}

@Controller('v1/models')
export class ModelsController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Get()
  @DescribeRoute({ summary: 'The models open to this key', answer: 'A list of models' })
  list(@Req() request: FastifyRequest): { object: 'list'; data: readonly ListedModel[] } {
    return { object: 'list', data: this.#listFor(request) };
  }

  // Model ids may hold slashes.
  @Get('*')
  @DescribeRoute({ summary: 'One model', answer: 'A model' })
  find(@Req() request: FastifyRequest, @Param('*') id: string): ListedModel {
    const model = this.#listFor(request).find((listed) => listed.id === id);
    if (model !== undefined) return model;
    throw new GatewayError('model_not_found', `The model "${id}" does not exist or is not open to this key.`, {
      param: 'model',
    });
  }

  #listFor(request: FastifyRequest): readonly ListedModel[] {
    const key = callerOf(request);
    const catalog = this.#services.catalog();
    const deployments = Map.groupBy(catalog.candidates, ({ model }) => model.id);
    return [...deployments]
      .filter(([id]) => catalog.allows(key, id))
      .map(([, candidates]) => toListedModel(candidates));
  }
}

function toListedModel(candidates: readonly Candidate[]): ListedModel {
  const [first] = candidates;
  if (first === undefined) throw new Error('a group has at least one member');
  const { id, contextWindow = null, maxOutputTokens = null, weight } = first.model;
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: candidates.map(({ provider }) => provider.id).join(','),
    context_length: contextWindow,
    max_model_len: contextWindow,
    max_output_tokens: maxOutputTokens,
    weight,
  };
}

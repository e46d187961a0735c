import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import type { ModelConfig } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { FastifyRequest } from 'fastify';
import type { ChatServices } from '../../complete-chat.ts';
import { callerOf } from '../../http/caller.ts';
import { DescribeRoute } from '../../http/describe-route.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import {
  readsAnthropicModels,
  toAnthropicModel,
  toAnthropicPage,
  type AnthropicModel,
  type AnthropicPage,
} from './anthropic-models.ts';
import { toOpenaiModel, type OpenaiModel } from './openai-model.ts';

interface OpenaiList {
  readonly object: 'list';
  readonly data: readonly OpenaiModel[];
}

/** In OpenAI's shape, for Anthropic's clients in theirs. Also under `/anthropic`, as the messages are. */
@Controller(['v1/models', 'anthropic/v1/models'])
export class ModelsController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Get()
  @DescribeRoute({ summary: 'The models open to this key', answer: 'A list of models' })
  list(@Req() request: FastifyRequest): OpenaiList | AnthropicPage {
    const models = this.#listFor(request);
    if (isForAnthropic(request)) return toAnthropicPage(models, request.query);
    return { object: 'list', data: models.map(toOpenaiModel) };
  }

  // Model ids may hold slashes.
  @Get('*')
  @DescribeRoute({ summary: 'One model', answer: 'A model', params: { id: 'Its id' }, notFound: 'No such model' })
  find(@Req() request: FastifyRequest, @Param('*') id: string): OpenaiModel | AnthropicModel {
    const model = this.#listFor(request).find((listed) => listed.id === id);
    if (model !== undefined) return isForAnthropic(request) ? toAnthropicModel(model) : toOpenaiModel(model);
    throw new GatewayError('model_not_found', `The model "${id}" does not exist or is not open to this key.`, {
      param: 'model',
    });
  }

  /** Anthropic's clients see what they can use: they know no embeddings. */
  #listFor(request: FastifyRequest): readonly ModelConfig[] {
    const key = callerOf(request);
    const catalog = this.#services.catalog();
    const chatsOnly = isForAnthropic(request);
    return catalog.config.models.filter(({ id, kind }) => catalog.allows(key, id) && (kind === 'chat' || !chatsOnly));
  }
}

function isForAnthropic({ url, headers }: FastifyRequest): boolean {
  return readsAnthropicModels(url, headers);
}

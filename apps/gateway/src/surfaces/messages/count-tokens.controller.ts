import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { anthropicDialect, countTokens, isGatewayError, type RankedCandidate } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { DescribeRoute, MESSAGES_BODY } from '../../http/describe-route.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { rankCandidates, type RoutedCall } from '../../rank-candidates.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { readBetas } from './read-betas.ts';

const now = (): number => performance.now();

/** Counting costs nothing with the provider that can do it, and nothing here. */
@Controller(['v1/messages/count_tokens', 'anthropic/v1/messages/count_tokens'])
export class CountTokensController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: "The tokens of a request in Anthropic's format",
    answer: 'Their number; X-TokenHub-Estimated: true where the provider cannot count',
    body: { ...MESSAGES_BODY, required: ['messages'] },
    takesPolicy: true,
    notFound: 'No such model',
    errors: 'anthropic',
  })
  async count(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { key, requestId } = chatCallFrom(request);
    // The format is that of a message but for the bound on its answer.
    const chat = anthropicDialect.readRequest({ max_tokens: 1, ...readJsonBody(request.body) });
    // Nothing is lost by counting: a provider of another dialect is not asked.
    const policy = { ...policyFromHeaders(request.headers), dropsLosses: true };
    const call = { key, request: readBetas(chat, request.headers), policy };
    const ranked = this.#candidatesOf(call);
    const leaving = new AbortController();
    reply.raw.once('close', () => leaving.abort());
    const { signal } = leaving;
    const { tokens, isEstimated } = await countTokens({ request: call.request, ranked, requestId, signal, now });
    if (isEstimated) reply.header('X-TokenHub-Estimated', 'true');
    await reply.send({ input_tokens: tokens });
  }

  /** Who could count; nobody where all rest or such, since an estimate needs no provider. */
  #candidatesOf(call: RoutedCall): readonly RankedCandidate[] {
    try {
      // Whether a prompt fits a window is what the caller wants to find out, so none excludes it.
      return rankCandidates(call, {
        catalog: this.#services.catalog(),
        health: this.#services.health,
        inputTokens: 0,
      }).ranked;
    } catch (error) {
      if (isGatewayError(error) && error.param !== 'model') return [];
      throw error;
    }
  }
}

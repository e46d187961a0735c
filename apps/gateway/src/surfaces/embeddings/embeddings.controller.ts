import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { embeddingsDialect } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { DescribeRoute, EMBEDDINGS_BODY } from '../../http/describe-route.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { embeddingsSurface } from './embeddings-surface.ts';

@Controller('v1/embeddings')
export class EmbeddingsController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: "Embeddings, in OpenAI's format",
    answer: 'A list of vectors',
    body: EMBEDDINGS_BODY,
    takesPolicy: true,
    isCharged: true,
  })
  async embed(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = chatCallFrom(request, 'embeddings');
    const embeddings = embeddingsDialect.readRequest(readJsonBody(request.body));
    // Vectors of another model than the named one could not be compared with those that the caller has.
    const policy = { ...policyFromHeaders(request.headers), allowModelFallback: false };
    reply.hijack();
    const call = { ...caller, request: embeddings, policy, surface: embeddingsSurface };
    await completeChat(this.#services, call, reply.raw);
  }
}

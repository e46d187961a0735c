import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { responsesDialect } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { DescribeRoute, RESPONSES_BODY } from '../../http/describe-route.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { responsesSurface } from './responses-surface.ts';

@Controller('v1/responses')
export class ResponsesController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: "Chat, in the format of OpenAI's Responses, without their memory",
    answer: 'A response, or its events',
    body: RESPONSES_BODY,
    takesPolicy: true,
    streams: true,
  })
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = chatCallFrom(request);
    const chat = responsesDialect.readRequest(readJsonBody(request.body));
    const policy = policyFromHeaders(request.headers);
    reply.hijack();
    await completeChat(this.#services, { ...caller, request: chat, policy, surface: responsesSurface }, reply.raw);
  }
}

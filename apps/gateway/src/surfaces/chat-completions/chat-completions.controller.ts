import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { openaiDialect } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { chatCompletionsSurface } from './chat-completions-surface.ts';
import { CHAT_COMPLETION_BODY, DescribeRoute } from '../../http/describe-route.ts';

@Controller('v1/chat/completions')
export class ChatCompletionsController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: "Chat, in OpenAI's format",
    answer: 'A chat completion, or its chunks, ended by [DONE] and the cost',
    body: CHAT_COMPLETION_BODY,
    takesPolicy: true,
    streams: true,
  })
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = chatCallFrom(request);
    const chat = openaiDialect.readRequest(readJsonBody(request.body));
    const policy = policyFromHeaders(request.headers);
    reply.hijack();
    await completeChat(
      this.#services,
      { ...caller, request: chat, policy, surface: chatCompletionsSurface },
      reply.raw,
    );
  }
}

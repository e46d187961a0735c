import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { openaiDialect } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { chatCompletionsSurface } from './chat-completions-surface.ts';

@Controller('v1/chat/completions')
export class ChatCompletionsController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
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

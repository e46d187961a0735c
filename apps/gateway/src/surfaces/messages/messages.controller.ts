import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { anthropicDialect } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { DescribeRoute, MESSAGES_BODY } from '../../http/describe-route.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { readBetas } from './read-betas.ts';
import { messagesSurface } from './messages-surface.ts';

/** Also under `/anthropic`, for clients that are given a base address of their own for Anthropic. */
@Controller(['v1/messages', 'anthropic/v1/messages'])
export class MessagesController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: "Chat, in Anthropic's format",
    answer: 'A message, or its events',
    body: MESSAGES_BODY,
    takesPolicy: true,
    streams: true,
    errors: 'anthropic',
  })
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = chatCallFrom(request);
    const chat = readBetas(anthropicDialect.readRequest(readJsonBody(request.body)), request.headers);
    const policy = policyFromHeaders(request.headers);
    reply.hijack();
    await completeChat(this.#services, { ...caller, request: chat, policy, surface: messagesSurface }, reply.raw);
  }
}

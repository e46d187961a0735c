import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { completeChat, type ChatServices } from '../../complete-chat.ts';
import { chatCallFrom } from '../../http/caller.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { nativeChatSurface, openaiChatSurface } from './chat-surface.ts';
import { readEnvelope } from './read-envelope.ts';
import { DescribeRoute, ENVELOPE_BODY } from '../../http/describe-route.ts';

@Controller('v1/chat')
export class ChatController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: 'Chat, in the envelope',
    answer: "The envelope around the provider's answer, or its events, ended by [DONE] and the cost",
    body: ENVELOPE_BODY,
    streams: true,
  })
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = chatCallFrom(request);
    const { streamFormat, ...envelope } = readEnvelope(readJsonBody(request.body));
    const format = streamFormat ?? caller.key.streamFormat ?? this.#services.catalog().config.routing.streamFormat;
    // What is not streamed is always the provider's own answer, inside the envelope.
    const surface = format === 'openai' && envelope.request.stream ? openaiChatSurface : nativeChatSurface;
    reply.hijack();
    await completeChat(this.#services, { ...envelope, ...caller, surface }, reply.raw);
  }
}

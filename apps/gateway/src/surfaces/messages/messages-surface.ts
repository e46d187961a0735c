import { anthropicDialect } from '@tokenhub/core';
import type { Surface } from '../surface.ts';

/** `POST /v1/messages`: Anthropic's format in both directions, whoever serves. The cost is in `usage`; the format has no room for a comment after its end. */
export const messagesSurface: Surface = {
  name: 'messages',
  answerDialect: anthropicDialect,
  errorDialect: anthropicDialect,
  // What Anthropic itself sends; its clients pass over it.
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  streamHeaders: () => [],
  endStream: (dialectEnd) => dialectEnd,
  endBrokenStream: () => '',
  writeAnswer: (answer) => answer.body,
};

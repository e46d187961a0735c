import { openaiDialect } from '@tokenhub/core';
import { costComment } from '../cost-comment.ts';
import { KEEP_ALIVE_COMMENT } from '../keep-alive.ts';
import type { Surface } from '../surface.ts';

/** `POST /v1/chat/completions`: OpenAI's format in both directions, whoever serves. */
export const chatCompletionsSurface: Surface = {
  name: 'chat_completions',
  answerDialect: openaiDialect,
  errorDialect: openaiDialect,
  keepAlive: KEEP_ALIVE_COMMENT,
  streamHeaders: () => [],
  endStream: (dialectEnd, _dialect, receipt) => dialectEnd + costComment(receipt, false),
  endBrokenStream: (receipt) => costComment(receipt, true),
  writeAnswer: (answer) => answer.body,
};

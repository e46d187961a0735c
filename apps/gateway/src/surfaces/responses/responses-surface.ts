import { responsesDialect } from '@tokenhub/core';
import { KEEP_ALIVE_COMMENT } from '../keep-alive.ts';
import type { Surface } from '../surface.ts';

/** `POST /v1/responses`: OpenAI's Responses format in both directions, whoever serves. The cost is in `usage` of the last event. */
export const responsesSurface: Surface = {
  name: 'responses',
  answerDialect: responsesDialect,
  errorDialect: responsesDialect,
  keepAlive: KEEP_ALIVE_COMMENT,
  streamHeaders: () => [],
  endStream: (dialectEnd) => dialectEnd,
  endBrokenStream: () => '',
  writeAnswer: (answer) => answer.body,
};

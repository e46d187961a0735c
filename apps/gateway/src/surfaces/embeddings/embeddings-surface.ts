import { embeddingsDialect } from '@tokenhub/core';
import { KEEP_ALIVE_COMMENT } from '../keep-alive.ts';
import type { Surface } from '../surface.ts';

/** `POST /v1/embeddings`: OpenAI's format in both directions. Never streams; the cost is in `usage`. */
export const embeddingsSurface: Surface = {
  name: 'embeddings',
  answerDialect: embeddingsDialect,
  errorDialect: embeddingsDialect,
  keepAlive: KEEP_ALIVE_COMMENT,
  streamHeaders: () => [],
  endStream: (dialectEnd) => dialectEnd,
  endBrokenStream: () => '',
  writeAnswer: (answer) => answer.body,
};

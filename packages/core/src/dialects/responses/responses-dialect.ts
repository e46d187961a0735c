import type { Dialect } from '../dialect.ts';
import { readError } from '../openai-errors/read-error.ts';
import { writeError } from '../openai-errors/write-error.ts';
import { createMeter } from './meter.ts';
import { patchAnswer } from './patch-answer.ts';
import { patchRequest } from './patch-request.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { createStreamReader } from './read-stream.ts';
import { isOwnReasoning, writeRequest } from './write-request.ts';
import { createStreamWriter, TERMINATOR, writeAnswer, writeStreamError } from './write-stream.ts';

/**
 * OpenAI's Responses API, without its memory: nothing is stored, each request holds its whole conversation.
 * Source: https://platform.openai.com/docs/api-reference/responses
 */
export const responsesDialect: Dialect = {
  name: 'responses',
  readRequest,
  takesReasoning: isOwnReasoning,
  patchRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  patchAnswer,
  createStreamReader,
  createStreamWriter,
  createMeter,
  terminator: TERMINATOR,
  // The first events repeat the request, the last one the whole answer.
  streamLimits: { maxLineBytes: 32 * 1024 * 1024, maxEventBytes: 32 * 1024 * 1024 },
  readError,
  writeError,
  writeStreamError,
};

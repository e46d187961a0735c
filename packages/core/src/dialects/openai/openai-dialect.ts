import type { Dialect } from '../dialect.ts';
import { createMeter } from './meter.ts';
import { patchAnswer } from './patch-answer.ts';
import { patchRequest } from './patch-request.ts';
import { readAnswer } from './read-answer.ts';
import { readError } from '../openai-errors/read-error.ts';
import { readRequest } from './read-request.ts';
import { createStreamReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeError, writeStreamError } from '../openai-errors/write-error.ts';
import { writeRequest } from './write-request.ts';
import { createStreamWriter, TERMINATOR } from './write-stream.ts';

/** OpenAI's chat completions, as OpenAI, vLLM and many others speak it. Source: https://platform.openai.com/docs/api-reference/chat. */
export const openaiDialect: Dialect = {
  name: 'openai',
  readRequest,
  patchRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  patchAnswer,
  createStreamReader,
  createStreamWriter,
  createMeter,
  terminator: TERMINATOR,
  readError,
  writeError,
  writeStreamError,
};

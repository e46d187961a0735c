import type { Dialect } from '../dialect.ts';
import { createMeter } from './meter.ts';
import { patchAnswer } from './patch-answer.ts';
import { patchRequest } from './patch-request.ts';
import { readAnswer } from './read-answer.ts';
import { readError } from './read-error.ts';
import { readRequest } from './read-request.ts';
import { createStreamReader } from './read-stream.ts';
import { writeAnswer } from './write-answer.ts';
import { writeError, writeStreamError } from './write-error.ts';
import { isOwnReasoning } from './write-request-turns.ts';
import { writeRequest } from './write-request.ts';
import { createStreamWriter, TERMINATOR } from './write-stream.ts';

/** Anthropic's Messages API, version 2023-06-01. Source: https://docs.anthropic.com/en/api/messages */
export const anthropicDialect: Dialect = {
  name: 'anthropic',
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
  readError,
  writeError,
  writeStreamError,
};

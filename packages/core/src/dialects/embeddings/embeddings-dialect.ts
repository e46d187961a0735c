import { GatewayError } from '../../errors.ts';
import type { Dialect } from '../dialect.ts';
import { readError } from '../openai-errors/read-error.ts';
import { writeError, writeStreamError } from '../openai-errors/write-error.ts';
import { patchAnswer } from './patch-answer.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';

/** 2,048 vectors of 1,536 numbers written out, or of 4,096 in base64. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * OpenAI's embeddings. They are only relayed, whole, between two sides that both speak this dialect: no other has words for
 * them. Source: https://platform.openai.com/docs/api-reference/embeddings.
 */
export const embeddingsDialect: Dialect = {
  name: 'embeddings',
  maxAnswerBytes: MAX_ANSWER_BYTES,
  readRequest,
  patchRequest: ({ source }, { model }) => ({ ...source.body, model }),
  writeRequest: () => relayedOnly('A request in another format'),
  readAnswer,
  writeAnswer: () => relayedOnly('An answer in another format'),
  patchAnswer,
  createStreamReader: () => relayedOnly('A stream'),
  createStreamWriter: () => relayedOnly('A stream'),
  createMeter: () => relayedOnly('A stream'),
  terminator: '',
  readError,
  writeError,
  writeStreamError,
};

/** Of what only makes sense for dialects that are translated or streamed. */
function relayedOnly(what: string): never {
  throw new GatewayError('unsupported_parameter', `${what} cannot be made into embeddings. Use POST /v1/embeddings.`);
}

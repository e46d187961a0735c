import OpenAI from 'openai';
import { STATUSES, type ErrorKind } from './client.ts';

/** The library has no class of its own for 402 and 413, and one for all from 500 on. */
const CLASSES = {
  'bad request': OpenAI.BadRequestError,
  unauthorized: OpenAI.AuthenticationError,
  'payment required': OpenAI.APIError,
  forbidden: OpenAI.PermissionDeniedError,
  'not found': OpenAI.NotFoundError,
  'too large': OpenAI.APIError,
  'rate limit': OpenAI.RateLimitError,
  'server error': OpenAI.InternalServerError,
  overloaded: OpenAI.InternalServerError,
  timeout: OpenAI.InternalServerError,
};

export function isOpenAiError(error: unknown, kind: ErrorKind): boolean {
  return error instanceof CLASSES[kind] && error.status === STATUSES[kind];
}

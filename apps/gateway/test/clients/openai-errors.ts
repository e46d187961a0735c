import OpenAI from 'openai';
import type { ErrorKind } from './client.ts';

const CLASSES = {
  'bad request': OpenAI.BadRequestError,
  unauthorized: OpenAI.AuthenticationError,
  'not found': OpenAI.NotFoundError,
  'rate limit': OpenAI.RateLimitError,
  'server error': OpenAI.InternalServerError,
};

export function isOpenAiError(error: unknown, kind: ErrorKind): boolean {
  return error instanceof CLASSES[kind];
}

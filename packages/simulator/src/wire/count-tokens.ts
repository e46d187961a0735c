import { anthropicWire } from './anthropic.ts';
import { readMessagesRequest } from './read-messages-request.ts';
import { isObject, type Wire } from './wire.ts';

/** Anthropic's count of a request's tokens. Source: https://docs.anthropic.com/en/api/messages-count-tokens */
export const countTokensWire: Wire = {
  ...anthropicWire,
  route: 'messages/count_tokens',
  // The body is that of a message, but for its limit.
  readRequest: (body) => readMessagesRequest(isObject(body) ? { ...body, max_tokens: 1, stream: false } : body),
  writeAnswer: (answer) => JSON.stringify({ input_tokens: answer.usage?.promptTokens ?? 0 }),
};

import type { ChatRequest } from '../../chat/chat-request.ts';
import { utf8Length } from '../../text/utf8-length.ts';

const BYTES_PER_TOKEN = 4;

/** The likely tokens of the longest input of a request for embeddings: each of them has the context window for itself. */
export function longestInputTokens({ messages }: ChatRequest): number {
  let bytes = 0;
  for (const { content } of messages) {
    for (const part of content) if (part.type === 'text') bytes = Math.max(bytes, utf8Length(part.text));
  }
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';
import { isForeign } from './signature.ts';

/**
 * The caller's own JSON with the provider's name of the model. Usage need not be asked for: it is part of the format.
 * Reasoning that Anthropic has not signed, since another provider gave it in an earlier turn, stays behind: it is refused.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  // No conversation is held anywhere: its provider would hold it for all callers of this gateway.
  const { thread: _, ...body } = request.source.body;
  return { ...body, model: target.model, messages: withoutForeign(body['messages']) };
}

function withoutForeign(messages: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(messages)) return messages;
  return (messages as readonly JsonValue[]).flatMap((message) => {
    if (!isJsonObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content']))
      return [message];
    const blocks = message['content'] as readonly JsonValue[];
    const content = blocks.filter(isOwnBlock);
    if (content.length === blocks.length) return [message];
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}

function isOwnBlock(block: JsonValue): boolean {
  if (!isJsonObject(block)) return true;
  const { type, signature, data } = block;
  if (type === 'thinking') return typeof signature === 'string' && signature !== '' && !isForeign(signature);
  return type !== 'redacted_thinking' || !isForeign(data);
}

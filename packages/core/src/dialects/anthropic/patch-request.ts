import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';
import { isForeign } from './signature.ts';

/**
 * The caller's own JSON with the provider's name of the model. Usage need not be asked for: it is part of the format.
 * Reasoning that a provider of another dialect gave in an earlier turn stays behind, since Anthropic refuses it.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  // No conversation is held anywhere: its provider would hold it for all callers of this gateway.
  const { thread: _, ...body } = request.source.body;
  const hasForeign = request.messages.some(({ content }) =>
    content.some((part) => 'format' in part && part.format !== undefined && part.format !== 'anthropic'),
  );
  if (!hasForeign) return { ...body, model: target.model };
  return { ...body, model: target.model, messages: withoutForeign(body['messages']) };
}

function withoutForeign(messages: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(messages)) return messages;
  return (messages as readonly JsonValue[]).map((message) => {
    if (!isJsonObject(message) || !Array.isArray(message['content'])) return message;
    const content = (message['content'] as readonly JsonValue[]).filter(
      (block) => !isJsonObject(block) || !(isForeign(block['signature']) || isForeign(block['data'])),
    );
    return { ...message, content };
  });
}

import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';
import { isForeign } from './reasoning-item.ts';

/**
 * The caller's own JSON for a provider of the same dialect. The provider is told to store nothing: what it kept could be
 * read by every caller of this gateway. Reasoning that a provider of another dialect gave stays behind.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  const { body } = request.source;
  const input = withoutForeign(body['input']);
  return { ...body, model: target.model, ...(input !== undefined && { input }), store: false };
}

function withoutForeign(input: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(input)) return input;
  const items = input as readonly JsonValue[];
  return items.every(isOwn) ? items : items.filter(isOwn);
}

function isOwn(item: JsonValue): boolean {
  return !isJsonObject(item) || !isForeign(item['encrypted_content']);
}

import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';
import { isGiven } from '../request-reading.ts';
import { isForeign } from './reasoning-item.ts';

/**
 * The caller's own JSON for a provider of the same dialect. The provider is told to store nothing: what it kept could be
 * read by every caller of this gateway. Reasoning that it has not encrypted, or another provider has, stays behind: it would be
 * looked for where nothing is stored.
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
  if (!isJsonObject(item) || item['type'] !== 'reasoning') return true;
  const { encrypted_content: encrypted } = item;
  return isGiven(encrypted) && encrypted !== '' && !isForeign(encrypted);
}

import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';
import { isGiven } from '../request-reading.ts';
import { isForeign, nameOf } from './reasoning-item.ts';

/**
 * The caller's own JSON for a provider of the same dialect. The provider is told to store nothing: what it kept could be
 * read by every caller of this gateway. Reasoning that it has not encrypted, or another provider has, stays behind: it would be
 * looked for where nothing is stored. What it has encrypted goes back under its own name for it, or under none.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  const { body } = request.source;
  const input = withoutForeign(body['input']);
  return { ...body, model: target.model, ...(input !== undefined && { input }), store: false };
}

function withoutForeign(input: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(input)) return input;
  return (input as readonly JsonValue[]).filter(isOwn).map(withItsName);
}

function withItsName(item: JsonValue): JsonValue {
  if (!isJsonObject(item) || item['type'] !== 'reasoning') return item;
  const { id, ...nameless } = item;
  return nameOf(item).id === id ? item : nameless;
}

function isOwn(item: JsonValue): boolean {
  if (!isJsonObject(item) || item['type'] !== 'reasoning') return true;
  const { encrypted_content: encrypted } = item;
  return isGiven(encrypted) && encrypted !== '' && !isForeign(encrypted);
}

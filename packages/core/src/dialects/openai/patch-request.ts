import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import type { ChatRequest } from '../../chat/chat-request.ts';
import type { RequestTarget } from '../dialect.ts';

/**
 * The caller's own JSON for a provider of the same dialect. Only the model changes, and a stream is asked for its usage:
 * without it there is no exact bill.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  const { body } = request.source;
  if (!request.stream || target.quirks?.noStreamOptions === true) return { ...body, model: target.model };
  const options = body['stream_options'];
  return {
    ...body,
    model: target.model,
    stream_options: { ...(isJsonObject(options) && options), include_usage: true },
  };
}

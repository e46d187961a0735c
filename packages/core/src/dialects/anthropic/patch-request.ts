import type { ChatRequest } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import type { RequestTarget } from '../dialect.ts';

/** The caller's own JSON with the provider's name of the model. Usage need not be asked for: it is part of the format. */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  return { ...request.source.body, model: target.model };
}

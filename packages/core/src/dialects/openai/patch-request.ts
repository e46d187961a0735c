import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { ChatRequest } from '../../chat/chat-request.ts';
import type { RequestTarget } from '../dialect.ts';
import type { Quirks } from '../quirks.ts';
import { shortenId } from './shorten-id.ts';

/**
 * The caller's own JSON for a provider of the same dialect. Only the model changes, and a stream is asked for its usage:
 * without it there is no exact bill.
 */
export function patchRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  const { body } = request.source;
  const own = { ...(target.quirks === undefined ? body : inItsWords(body, target.quirks)), model: target.model };
  if (!request.stream || target.quirks?.noStreamOptions === true) return own;
  const options = body['stream_options'];
  return { ...own, stream_options: { ...(isJsonObject(options) && options), include_usage: true } };
}

/** The same in the words of a server that has others for it. */
function inItsWords(body: JsonObject, quirks: Quirks): JsonObject {
  const { stream_options: options, max_completion_tokens: most, tool_choice: choice, messages, ...rest } = body;
  const boundName = quirks.maxTokensMember ?? 'max_completion_tokens';
  return {
    ...rest,
    ...(options !== undefined && quirks.noStreamOptions !== true && { stream_options: options }),
    ...(most !== undefined && { [boundName]: most }),
    ...(choice !== undefined && {
      tool_choice: choice === 'required' ? (quirks.requiredToolChoice ?? choice) : choice,
    }),
    ...(messages !== undefined && { messages: quirks.shortToolCallIds === true ? withShortIds(messages) : messages }),
  };
}

function withShortIds(messages: JsonValue): JsonValue {
  if (!Array.isArray(messages)) return messages;
  return (messages as readonly JsonValue[]).map((message) => {
    if (!isJsonObject(message)) return message;
    const { tool_call_id: id, tool_calls: calls } = message;
    if (typeof id === 'string') return { ...message, tool_call_id: shortenId(id) };
    if (!Array.isArray(calls)) return message;
    const named = (calls as readonly JsonValue[]).map((call) =>
      isJsonObject(call) && typeof call['id'] === 'string' ? { ...call, id: shortenId(call['id']) } : call,
    );
    return { ...message, tool_calls: named };
  });
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { ChatRequest } from '../../chat/chat-request.ts';
import type { RequestTarget } from '../dialect.ts';
import type { Quirks } from '../quirks.ts';
import { toDocumentUrl } from './document-url.ts';
import { isFilled } from './read-message.ts';
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
    ...(messages !== undefined && { messages: mapMessages(messages, quirks) }),
  };
}

function mapMessages(messages: JsonValue, quirks: Quirks): JsonValue {
  if (!Array.isArray(messages)) return messages;
  return (messages as readonly JsonValue[]).map((message) => {
    if (!isJsonObject(message)) return message;
    const said = quirks.documentUrl === true ? withDocumentUrls(message) : message;
    const own = said['reasoning_content'] === undefined ? said : withReasoningBack(said, quirks);
    return quirks.shortToolCallIds === true ? withShortIds(own) : own;
  });
}

function withDocumentUrls(message: JsonObject): JsonObject {
  const { content } = message;
  if (!Array.isArray(content)) return message;
  const parts = (content as readonly JsonValue[]).map((part) => {
    if (!isJsonObject(part) || part['type'] !== 'file' || !isJsonObject(part['file'])) return part;
    const { file_data: data, filename } = part['file'];
    return isFilled(data) ? toDocumentUrl(data, isFilled(filename) ? filename : undefined) : part;
  });
  return { ...message, content: parts };
}

/**
 * Where our relay has put the reasoning in `reasoning_content`, it goes back as it came. Groq and Mistral refuse that member,
 * newer vLLM passes over it, older ones and SGLang know no other.
 */
function withReasoningBack(message: JsonObject, { bareReasoning, contentParts, refused }: Quirks): JsonObject {
  const { reasoning_content: text, ...own } = message;
  if (bareReasoning === true) {
    const kept = refused?.includes('reasoning_content') === true ? own : message;
    return isFilled(text) && own['reasoning'] === undefined ? { ...kept, reasoning: text } : kept;
  }
  if (contentParts !== true) return message;
  return isFilled(text) ? { ...own, content: [toThinking(text), ...toParts(own['content'])] } : own;
}

function toThinking(text: string): JsonObject {
  return { type: 'thinking', thinking: [{ type: 'text', text }], closed: true };
}

function toParts(content: JsonValue | undefined): readonly JsonValue[] {
  if (isFilled(content)) return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : [];
}

function withShortIds(message: JsonObject): JsonObject {
  const { tool_call_id: id, tool_calls: calls } = message;
  if (typeof id === 'string') return { ...message, tool_call_id: shortenId(id) };
  if (!Array.isArray(calls)) return message;
  const named = (calls as readonly JsonValue[]).map((call) =>
    isJsonObject(call) && typeof call['id'] === 'string' ? { ...call, id: shortenId(call['id']) } : call,
  );
  return { ...message, tool_calls: named };
}

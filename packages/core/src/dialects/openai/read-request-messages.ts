import type { ChatMessage, ContentPart, ToolCall } from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import { isGiven, MAX_MESSAGES, type RequestReading } from '../request-reading.ts';
import { readContent, readTexts } from './read-request-content.ts';
import { readReasoningDetails, type ReasoningDetail } from './reasoning-details.ts';

const ROLES = 'must be one of system, developer, user, assistant and tool';

/**
 * Reads `messages`. What has no neutral words (speech, names, …) is lost by its path.
 * @throws GatewayError `invalid_parameter`.
 */
export function readMessages(value: JsonValue | undefined, reading: RequestReading): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_MESSAGES) {
    throw reading.invalid('messages', `must be a list of 1 to ${MAX_MESSAGES} messages`);
  }
  const messages: ChatMessage[] = [];
  for (const [i, entry] of (value as readonly JsonValue[]).entries()) {
    const path = `messages[${i}]`;
    const message = readMessage(reading.object(entry, path), path, reading);
    if (message !== undefined) messages.push(message);
  }
  return messages;
}

function readMessage(message: JsonObject, path: string, reading: RequestReading): ChatMessage | undefined {
  const { role, content, ...rest } = message;
  switch (reading.text(role, `${path}.role`, ROLES)) {
    case 'system':
    case 'developer':
      reading.rest(rest, path);
      return { role: 'system', content: readTexts(content, `${path}.content`, reading) };
    case 'user':
      reading.rest(rest, path);
      return { role: 'user', content: readContent(content, `${path}.content`, reading) };
    case 'tool': {
      // A tool's name is known from the call.
      const { tool_call_id: id, name: _, ...others } = rest;
      reading.rest(others, path);
      const toolCallId = reading.name(id, `${path}.tool_call_id`);
      return { role: 'tool', toolCallId, content: readContent(content, `${path}.content`, reading) };
    }
    case 'assistant':
      return readAssistant(message, path, reading);
    case 'function':
      // The time before tools; there are no neutral words for it.
      reading.lose(path);
      return undefined;
    default:
      throw reading.invalid(`${path}.role`, ROLES);
  }
}

function readAssistant(message: JsonObject, path: string, reading: RequestReading): ChatMessage {
  const { role: _, content, refusal, reasoning_content, reasoning, reasoning_details, tool_calls, ...rest } = message;
  // Speech and the calls of the time before tools are content.
  const { audio, function_call, ...others } = rest;
  reading.rest({ audio, function_call }, path);
  reading.restOfAnswer(others, path);
  const thought = reasoning_content ?? reasoning;
  const parts: ContentPart[] = joinReasoning(
    isGiven(thought) ? reading.text(thought, `${path}.reasoning_content`) : '',
    readReasoningDetails(reasoning_details),
  );
  // One by one: a list may be longer than a call's arguments.
  if (isGiven(content)) for (const part of readTexts(content, `${path}.content`, reading)) parts.push(part);
  if (isGiven(refusal)) {
    parts.push({ type: 'text', text: reading.text(refusal, `${path}.refusal`, 'must be a string or null') });
  }
  return { role: 'assistant', content: parts, toolCalls: readToolCalls(tool_calls, path, reading) };
}

type Reasoning = ContentPart & { readonly type: 'reasoning' };

/** An earlier turn's reasoning: its plain text, or the signed and encrypted pieces of which the text is a copy. */
function joinReasoning(plain: string, details: readonly ReasoningDetail[]): ContentPart[] {
  const parts: ContentPart[] = [];
  let open: { -readonly [K in keyof Reasoning]: Reasoning[K] } | undefined;
  let openIndex: JsonValue | undefined;
  for (const detail of details) {
    if (detail.type === 'encrypted') {
      const { type: _type, index: _index, ...redacted } = detail;
      parts.push({ type: 'redacted-reasoning', ...redacted });
      open = undefined;
      continue;
    }
    // Clients that gather a stream keep one entry per delta; those of one piece have the same index.
    if (open === undefined || open.signature !== undefined || openIndex !== detail.index) {
      open = { type: 'reasoning', text: '' };
      openIndex = detail.index;
      parts.push(open);
    }
    open.text += detail.text;
    if (detail.signature !== '') open.signature = detail.signature;
    if (detail.format !== undefined) open.format = detail.format;
    if (detail.id !== undefined) open.id = detail.id;
  }
  const signed = parts.filter((part) => part.type === 'reasoning');
  if (plain === '' || signed.some((part) => part.text !== '')) return parts;
  const [first] = signed;
  return first === undefined
    ? [{ type: 'reasoning', text: plain }, ...parts]
    : parts.map((part) => (part === first ? { ...first, text: plain } : part));
}

function readToolCalls(value: JsonValue | undefined, path: string, reading: RequestReading): ToolCall[] {
  if (!isGiven(value)) return [];
  const calls: ToolCall[] = [];
  for (const [i, entry] of reading.list(value, `${path}.tool_calls`).entries()) {
    const callPath = `${path}.tool_calls[${i}]`;
    const { id, type, index: _, function: called, ...rest } = reading.object(entry, callPath);
    if (type !== undefined && type !== 'function') {
      reading.lose(callPath);
      continue;
    }
    reading.restOfAnswer(rest, callPath);
    const { name, arguments: text } = reading.object(called, `${callPath}.function`);
    calls.push({
      id: reading.name(id, `${callPath}.id`),
      name: reading.name(name, `${callPath}.function.name`),
      arguments: reading.text(text, `${callPath}.function.arguments`, 'must be a string of JSON'),
    });
  }
  return calls;
}

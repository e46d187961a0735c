import type { ChatMessage, ContentPart, TextPart, ToolCall } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { readReasoningDetails } from './reasoning-details.ts';
import { checkList, checkName, checkObject, checkString, invalid, isEmpty } from './request-checks.ts';

const MAX_MESSAGES = 10_000;
const ROLES = 'one of system, developer, user, assistant and tool';

/**
 * Reads `messages`. What has no neutral words (images, names, …) is added to `untranslatable` by its path.
 * @throws GatewayError `invalid_parameter`.
 */
export function readMessages(value: JsonValue | undefined, untranslatable: string[]): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_MESSAGES) {
    throw invalid('messages', `a list of 1 to ${MAX_MESSAGES} messages`);
  }
  const messages: ChatMessage[] = [];
  for (const [i, entry] of (value as readonly JsonValue[]).entries()) {
    const path = `messages[${i}]`;
    const message = readMessage(checkObject({ path, value: entry }), path, untranslatable);
    if (message !== undefined) messages.push(message);
  }
  return messages;
}

function readMessage(message: JsonObject, path: string, untranslatable: string[]): ChatMessage | undefined {
  const { role, content, ...rest } = message;
  const at = { path: `${path}.content`, untranslatable };
  if (typeof role !== 'string') throw invalid(`${path}.role`, ROLES);
  switch (role) {
    case 'system':
    case 'developer':
      noteOthers(rest, path, untranslatable);
      return { role: 'system', content: readParts(content, at) };
    case 'user':
      noteOthers(rest, path, untranslatable);
      return { role: 'user', content: readParts(content, at) };
    case 'tool': {
      // A tool's name is known from the call.
      const { tool_call_id: id, name: _, ...others } = rest;
      noteOthers(others, path, untranslatable);
      const toolCallId = checkName({ path: `${path}.tool_call_id`, value: id });
      return { role: 'tool', toolCallId, content: readParts(content, at) };
    }
    case 'assistant':
      return readAssistant(message, path, untranslatable);
    case 'function':
      // The time before tools; there are no neutral words for it.
      untranslatable.push(path);
      return undefined;
    default:
      throw invalid(`${path}.role`, ROLES);
  }
}

function readAssistant(message: JsonObject, path: string, untranslatable: string[]): ChatMessage {
  const { role: _, content, refusal, reasoning_content, reasoning, reasoning_details, tool_calls, ...rest } = message;
  noteOthers(rest, path, untranslatable);
  const parts: ContentPart[] = readReasoning(reasoning_content ?? reasoning, reasoning_details, path);
  if (content !== undefined && content !== null) {
    parts.push(...readParts(content, { path: `${path}.content`, untranslatable }));
  }
  if (refusal !== undefined && refusal !== null) {
    parts.push({ type: 'text', text: checkString({ path: `${path}.refusal`, value: refusal }, 'a string or null') });
  }
  return { role: 'assistant', content: parts, toolCalls: readToolCalls(tool_calls, path, untranslatable) };
}

/** An earlier turn's reasoning: its plain text, or the signed and encrypted pieces of which the text is a copy. */
function readReasoning(text: JsonValue | undefined, details: JsonValue | undefined, path: string): ContentPart[] {
  const plain =
    text === undefined || text === null ? '' : checkString({ path: `${path}.reasoning_content`, value: text });
  const parts: ContentPart[] = [];
  let open: { type: 'reasoning'; text: string; signature?: string } | undefined;
  let openIndex: JsonValue | undefined;
  for (const detail of readReasoningDetails(details)) {
    if (detail.type === 'encrypted') {
      parts.push({ type: 'redacted-reasoning', data: detail.data });
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
  }
  const signed = parts.filter((part) => part.type === 'reasoning');
  if (plain === '' || signed.some((part) => part.text !== '')) return parts;
  const [first] = signed;
  return first === undefined
    ? [{ type: 'reasoning', text: plain }, ...parts]
    : parts.map((part) => (part === first ? { ...first, text: plain } : part));
}

function readToolCalls(value: JsonValue | undefined, path: string, untranslatable: string[]): ToolCall[] {
  if (value === undefined || value === null) return [];
  const calls: ToolCall[] = [];
  for (const [i, entry] of checkList({ path: `${path}.tool_calls`, value }).entries()) {
    const callPath = `${path}.tool_calls[${i}]`;
    const call = checkObject({ path: callPath, value: entry });
    if (call['type'] !== undefined && call['type'] !== 'function') {
      untranslatable.push(callPath);
      continue;
    }
    const called = checkObject({ path: `${callPath}.function`, value: call['function'] });
    calls.push({
      id: checkName({ path: `${callPath}.id`, value: call['id'] }),
      name: checkName({ path: `${callPath}.function.name`, value: called['name'] }),
      arguments: checkString(
        { path: `${callPath}.function.arguments`, value: called['arguments'] },
        'a string of JSON',
      ),
    });
  }
  return calls;
}

interface Place {
  readonly path: string;
  readonly untranslatable: string[];
}

/** Content: a string, or a list of parts of which the texts and refusals have neutral words. */
function readParts(content: JsonValue | undefined, { path, untranslatable }: Place): TextPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw invalid(path, 'a string or a list of content parts');
  const texts: TextPart[] = [];
  for (const [i, part] of (content as readonly JsonValue[]).entries()) {
    const partPath = `${path}[${i}]`;
    if (!isJsonObject(part) || typeof part['type'] !== 'string') {
      throw invalid(partPath, 'an object with a type, as in {"type":"text","text":"…"}');
    }
    if (part['type'] !== 'text' && part['type'] !== 'refusal') {
      untranslatable.push(partPath);
      continue;
    }
    const { type, [type]: text, ...rest } = part;
    noteOthers(rest, partPath, untranslatable);
    texts.push({ type: 'text', text: checkString({ path: `${partPath}.${type}`, value: text }) });
  }
  return texts;
}

/** Lists the members for which there are no neutral words. */
function noteOthers(members: JsonObject, path: string, untranslatable: string[]): void {
  for (const name of Object.keys(members)) {
    if (!isEmpty(members[name])) untranslatable.push(`${path}.${name}`);
  }
}

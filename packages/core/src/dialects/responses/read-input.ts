import type { ChatMessage, ContentPart, TextPart, ToolCall } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, MAX_MESSAGES, type RequestReading } from '../request-reading.ts';
import { readReasoningItem } from './reasoning-item.ts';
import { readOwnRest, readRest } from './read-rest.ts';

const INPUT_RULE = `must be a string or a list of 1 to ${MAX_MESSAGES} items`;
const ROLES = 'must be one of system, developer, user and assistant';

/** An assistant's turn while its items, of which each is one in the input, are gathered. */
interface Turn {
  readonly role: 'assistant';
  readonly content: ContentPart[];
  readonly toolCalls: ToolCall[];
}

/** Reads `input`. Items that follow each other and are the model's own (reasoning, text, calls) are one message. */
export function readInput(value: JsonValue | undefined, reading: RequestReading): ChatMessage[] {
  if (typeof value === 'string') return [{ role: 'user', content: [{ type: 'text', text: value }] }];
  const items = reading.list(value, 'input', INPUT_RULE);
  if (items.length === 0 || items.length > MAX_MESSAGES) throw reading.invalid('input', INPUT_RULE);
  const messages: ChatMessage[] = [];
  let turn: Turn | undefined;
  const ownTurn = (): Turn => {
    if (turn === undefined) messages.push((turn = { role: 'assistant', content: [], toolCalls: [] }));
    return turn;
  };
  for (const [i, entry] of items.entries()) {
    const path = `input[${i}]`;
    const item = reading.object(entry, path);
    switch (typeOf(item)) {
      case 'message':
        if (item['role'] === 'assistant') {
          // One by one: a list may be longer than a call's arguments.
          for (const part of readOwnTexts(item, path, reading)) ownTurn().content.push(part);
        } else {
          turn = undefined;
          messages.push(readMessage(item, path, reading));
        }
        break;
      case 'reasoning':
        ownTurn().content.push(readReasoningItem(item, path, reading));
        break;
      case 'function_call':
        ownTurn().toolCalls.push(readCall(item, path, reading));
        break;
      case 'function_call_output':
        turn = undefined;
        messages.push(readResult(item, path, reading));
        break;
      case 'item_reference':
        throw reading.invalid(path, 'must be the item itself: responses are not stored here; set store to false');
      default:
        // An item of a tool that OpenAI runs, or one that is newer than this code.
        reading.lose(path);
    }
  }
  return messages;
}

function typeOf({ type, role }: JsonObject): JsonValue | undefined {
  // Without a type it is a message, or else what the API takes for a reference.
  return type ?? (role === undefined ? 'item_reference' : 'message');
}

function readOwnTexts(item: JsonObject, path: string, reading: RequestReading): TextPart[] {
  const { role: _, content, ...rest } = item;
  readOwnRest(rest, path, reading);
  return readTexts(content, `${path}.content`, reading);
}

function readCall(item: JsonObject, path: string, reading: RequestReading): ToolCall {
  const { call_id: id, name, arguments: text, ...rest } = item;
  readOwnRest(rest, path, reading);
  return {
    id: reading.name(id, `${path}.call_id`),
    name: reading.name(name, `${path}.name`),
    arguments: reading.text(text, `${path}.arguments`, 'must be a string of JSON'),
  };
}

function readResult(item: JsonObject, path: string, reading: RequestReading): ChatMessage {
  // A tool's name is known from the call.
  const { call_id: id, name: _, output, ...rest } = item;
  readRest(rest, path, reading);
  return {
    role: 'tool',
    toolCallId: reading.name(id, `${path}.call_id`),
    content: readContent(output, `${path}.output`, reading),
  };
}

function readMessage(item: JsonObject, path: string, reading: RequestReading): ChatMessage {
  const { role, content, ...rest } = item;
  readRest(rest, path, reading);
  switch (reading.text(role, `${path}.role`, ROLES)) {
    case 'system':
    case 'developer':
      return { role: 'system', content: readTexts(content, `${path}.content`, reading) };
    case 'user':
      return { role: 'user', content: readContent(content, `${path}.content`, reading) };
    default:
      throw reading.invalid(`${path}.role`, ROLES);
  }
}

function readTexts(content: JsonValue | undefined, path: string, reading: RequestReading): TextPart[] {
  return reading.textsOf(readContent(content, path, reading));
}

function readContent(content: JsonValue | undefined, path: string, reading: RequestReading): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts: ContentPart[] = [];
  for (const [i, part] of reading.list(content, path, 'must be a string or a list of content parts').entries()) {
    const partPath = `${path}[${i}]`;
    if (!isJsonObject(part) || typeof part['type'] !== 'string') {
      throw reading.invalid(partPath, 'must be an object with a type, as in {"type":"input_text","text":"…"}');
    }
    const read = readPart(part, partPath, reading);
    if (read === undefined) reading.lose(partPath);
    else parts.push(read);
  }
  return parts;
}

/** `undefined` for what has no neutral words: speech, and files that were uploaded to a provider. */
function readPart(part: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  switch (part['type']) {
    case 'input_text':
    case 'text': {
      const { text, ...rest } = part;
      readRest(rest, path, reading);
      return { type: 'text', text: reading.text(text, `${path}.text`) };
    }
    case 'output_text': {
      const { text, ...rest } = part;
      readOwnRest(rest, path, reading);
      return { type: 'text', text: reading.text(text, `${path}.text`) };
    }
    case 'refusal': {
      const { refusal, ...rest } = part;
      readOwnRest(rest, path, reading);
      return { type: 'text', text: reading.text(refusal, `${path}.refusal`) };
    }
    case 'input_image': {
      const { image_url: url, detail, ...rest } = part;
      if (!isGiven(url)) return undefined;
      readRest(rest, path, reading);
      return {
        type: 'image',
        source: reading.mediaSource(url, `${path}.image_url`),
        ...(isGiven(detail) && detail !== 'auto' && { detail: reading.text(detail, `${path}.detail`) }),
        path,
      };
    }
    case 'input_file': {
      const { file_data: data, file_url: url, filename, detail, ...rest } = part;
      if (!isGiven(data) && !isGiven(url)) return undefined;
      readRest(rest, path, reading);
      if (isGiven(detail) && detail !== 'auto') reading.hint(`${path}.detail`);
      const source = isGiven(data)
        ? reading.mediaSource(data, `${path}.file_data`)
        : reading.mediaSource(url, `${path}.file_url`);
      const name = isGiven(filename) ? { name: reading.text(filename, `${path}.filename`) } : {};
      return { type: 'document', source, ...name, path };
    }
    default:
      return undefined;
  }
}

import type { CacheMark, ChatMessage, ContentPart, TextPart, ToolCall } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';
import { readContent, readContentBlock, readTexts } from './read-content.ts';
import { readData, readSignature } from './signature.ts';
import { typeOf } from './wire.ts';

/** How long a message of the system's counts, where it says nothing of that. */
const SYSTEM_DEFAULTS: JsonObject = { clear_at: 'never' };

/**
 * One message as neutral ones. A user turn with results of tools becomes a tool message for each, then a user message
 * with the rest of it, if any.
 */
export function readMessage(value: JsonValue, path: string, reading: RequestReading): ChatMessage[] {
  const { role, content, ...rest } = reading.object(value, path);
  const contentPath = `${path}.content`;
  if (role === 'system') {
    reading.rest(rest, path, SYSTEM_DEFAULTS);
    return readSystem(content, contentPath, reading);
  }
  if (role !== 'user' && role !== 'assistant')
    throw reading.invalid(`${path}.role`, "must be 'user', 'assistant' or 'system'");
  reading.rest(rest, path);
  if (typeof content === 'string') {
    const text: TextPart[] = [{ type: 'text', text: content }];
    return [role === 'user' ? { role, content: text } : { role, content: text, toolCalls: [] }];
  }
  if (!Array.isArray(content)) throw reading.invalid(contentPath, 'must be a string or a list of blocks');
  return role === 'user'
    ? readUserBlocks(content, contentPath, reading)
    : readAssistantBlocks(content, contentPath, reading);
}

/** What the system says between the turns. A message of its that only sets how to answer from here on has no texts. */
function readSystem(value: JsonValue | undefined, path: string, reading: RequestReading): ChatMessage[] {
  const content = isGiven(value) ? readTexts(value, path, reading) : [];
  return content.length === 0 ? [] : [{ role: 'system', content }];
}

function readUserBlocks(blocks: readonly JsonValue[], path: string, reading: RequestReading): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const content: ContentPart[] = [];
  for (const [i, entry] of blocks.entries()) {
    const blockPath = `${path}[${i}]`;
    const block = reading.object(entry, blockPath);
    switch (typeOf(block)) {
      case 'tool_result':
        messages.push(readToolResult(block, blockPath, reading));
        break;
      case 'tool_use':
      case 'thinking':
      case 'redacted_thinking':
        throw reading.invalid(`${blockPath}.type`, 'is of a block that only assistant messages may have');
      default:
        addBlock(content, { block, path: blockPath }, reading);
    }
  }
  if (content.length > 0 || messages.length === 0) messages.push({ role: 'user', content });
  return messages;
}

function readAssistantBlocks(blocks: readonly JsonValue[], path: string, reading: RequestReading): ChatMessage[] {
  const content: ContentPart[] = [];
  const toolCalls: ToolCall[] = [];
  for (const [i, entry] of blocks.entries()) {
    const blockPath = `${path}[${i}]`;
    const block = reading.object(entry, blockPath);
    switch (typeOf(block)) {
      case 'thinking':
        content.push(readThinkingBlock(block, blockPath, reading));
        break;
      case 'redacted_thinking': {
        const { type: _, data, ...rest } = block;
        reading.rest(rest, blockPath);
        content.push({ type: 'redacted-reasoning', ...readData(reading.text(data, `${blockPath}.data`)) });
        break;
      }
      case 'tool_use':
        toolCalls.push(readToolUse(block, blockPath, reading));
        break;
      case 'tool_result':
        throw reading.invalid(`${blockPath}.type`, 'is of a block that only user messages may have');
      default:
        addBlock(content, { block, path: blockPath }, reading);
    }
  }
  return [{ role: 'assistant', content, toolCalls }];
}

function readToolResult(block: JsonObject, path: string, reading: RequestReading): ChatMessage {
  const { type: _, tool_use_id: id, content, is_error: isError, cache_control: mark, ...rest } = block;
  reading.rest(rest, path);
  const failed = isGiven(isError) && reading.boolean(isError, `${path}.is_error`);
  const parts = isGiven(content) ? readContent(content, `${path}.content`, reading) : [];
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return {
    role: 'tool',
    toolCallId: reading.text(id, `${path}.tool_use_id`),
    // A mark on the result is one on its end.
    content: cache === undefined ? parts : markLast(parts, cache, reading),
    ...(failed && { isError: true }),
  };
}

function markLast(parts: readonly ContentPart[], cache: CacheMark, reading: RequestReading): readonly ContentPart[] {
  const last = parts.at(-1);
  if (last === undefined || last.type === 'reasoning' || last.type === 'redacted-reasoning') {
    reading.hint(cache.path);
    return parts;
  }
  return [...parts.slice(0, -1), { cache, ...last }];
}

function readThinkingBlock(block: JsonObject, path: string, reading: RequestReading): ContentPart {
  const { type: _, thinking, signature, ...rest } = block;
  reading.rest(rest, path);
  const text = reading.text(thinking, `${path}.thinking`);
  if (!isGiven(signature) || signature === '') return { type: 'reasoning', text };
  return { type: 'reasoning', text, ...readSignature(reading.text(signature, `${path}.signature`)) };
}

function readToolUse(block: JsonObject, path: string, reading: RequestReading): ToolCall {
  const { type: _, id, name, input, caller, cache_control: mark, ...rest } = block;
  reading.rest(rest, path);
  // Answers name who called; the model itself is the usual case and needs no word.
  if (isJsonObject(caller) && caller['type'] !== 'direct') reading.lose(`${path}.caller`);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return {
    id: reading.text(id, `${path}.id`),
    name: reading.text(name, `${path}.name`),
    arguments: JSON.stringify(reading.object(input, `${path}.input`)),
    ...(cache !== undefined && { cache }),
  };
}

/** Text, a picture or a document; a block of a server tool, or one that is newer than this code, is lost. */
function addBlock(
  content: ContentPart[],
  { block, path }: { block: JsonObject; path: string },
  reading: RequestReading,
): void {
  reading.text(block['type'], `${path}.type`);
  const part = readContentBlock(block, path, reading);
  if (part === undefined) reading.lose(path);
  else content.push(part);
}

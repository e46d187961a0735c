import type { ChatMessage, ContentPart, TextPart, ToolCall } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { typeOf } from './wire.ts';
import type { RequestReading } from './request-reading.ts';

/**
 * One message as neutral ones. A user turn with results of tools becomes a tool message for each, then a user message
 * with the rest of it, if any.
 */
export function readMessage(value: JsonValue, path: string, reading: RequestReading): ChatMessage[] {
  const { role, content, ...rest } = reading.object(value, path);
  if (role !== 'user' && role !== 'assistant') throw reading.invalid(`${path}.role`, "must be 'user' or 'assistant'");
  reading.rest(rest, path);
  const contentPath = `${path}.content`;
  if (typeof content === 'string') {
    const text: TextPart[] = [{ type: 'text', text: content }];
    return [role === 'user' ? { role, content: text } : { role, content: text, toolCalls: [] }];
  }
  if (!Array.isArray(content)) throw reading.invalid(contentPath, 'must be a text or a list of blocks');
  return role === 'user'
    ? readUserBlocks(content, contentPath, reading)
    : readAssistantBlocks(content, contentPath, reading);
}

function readUserBlocks(blocks: readonly JsonValue[], path: string, reading: RequestReading): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const content: ContentPart[] = [];
  for (const [i, entry] of blocks.entries()) {
    const blockPath = `${path}[${i}]`;
    const block = reading.object(entry, blockPath);
    switch (typeOf(block)) {
      case 'text':
        content.push(reading.textBlock(block, blockPath));
        break;
      case 'tool_result':
        messages.push(readToolResult(block, blockPath, reading));
        break;
      case 'tool_use':
      case 'thinking':
      case 'redacted_thinking':
        throw reading.invalid(`${blockPath}.type`, 'is of a block that only assistant messages may have');
      default:
        readForeignBlock(block, blockPath, reading);
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
      case 'text':
        content.push(reading.textBlock(block, blockPath));
        break;
      case 'thinking':
        content.push(readThinkingBlock(block, blockPath, reading));
        break;
      case 'redacted_thinking': {
        const { type: _, data, ...rest } = block;
        reading.rest(rest, blockPath);
        content.push({ type: 'redacted-reasoning', data: reading.text(data, `${blockPath}.data`) });
        break;
      }
      case 'tool_use':
        toolCalls.push(readToolUse(block, blockPath, reading));
        break;
      case 'tool_result':
        throw reading.invalid(`${blockPath}.type`, 'is of a block that only user messages may have');
      default:
        readForeignBlock(block, blockPath, reading);
    }
  }
  return [{ role: 'assistant', content, toolCalls }];
}

function readToolResult(block: JsonObject, path: string, reading: RequestReading): ChatMessage {
  const { type: _, tool_use_id: id, content, is_error: isError, ...rest } = block;
  reading.rest(rest, path);
  const hasContent = content !== undefined && content !== null;
  const failed = isError !== undefined && isError !== null && reading.boolean(isError, `${path}.is_error`);
  return {
    role: 'tool',
    toolCallId: reading.text(id, `${path}.tool_use_id`),
    content: hasContent ? reading.textParts(content, `${path}.content`) : [],
    ...(failed && { isError: true }),
  };
}

function readThinkingBlock(block: JsonObject, path: string, reading: RequestReading): ContentPart {
  const { type: _, thinking, signature, ...rest } = block;
  reading.rest(rest, path);
  const text = reading.text(thinking, `${path}.thinking`);
  if (signature === undefined || signature === null) return { type: 'reasoning', text };
  return { type: 'reasoning', text, signature: reading.text(signature, `${path}.signature`) };
}

function readToolUse(block: JsonObject, path: string, reading: RequestReading): ToolCall {
  const { type: _, id, name, input, caller, ...rest } = block;
  reading.rest(rest, path);
  // Answers name who called; the model itself is the usual case and needs no word.
  if (isJsonObject(caller) && caller['type'] !== 'direct') reading.opaque(caller, `${path}.caller`);
  return {
    id: reading.text(id, `${path}.id`),
    name: reading.text(name, `${path}.name`),
    arguments: JSON.stringify(reading.object(input, `${path}.input`)),
  };
}

/** An image, a document, a block of a server tool, or one that is newer than this code. */
function readForeignBlock(block: JsonObject, path: string, reading: RequestReading): void {
  reading.text(block['type'], `${path}.type`);
  reading.opaque(block, path);
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { readCitations } from './citations.ts';
import { fromStopReason } from './finish-reason.ts';
import { fromErrorEvent } from './read-error.ts';
import { readData, readSignature } from './signature.ts';
import { readCounts, toReportedUsage } from './usage.ts';
import { typeOf, type WireBlock, type WireMessage } from './wire.ts';

/**
 * A complete answer as parts. Blocks of server tools, and whatever else is not known here, leave no part.
 * @throws GatewayError `upstream_protocol`.
 */
export function readAnswer(answer: JsonObject): StreamPart[] {
  const message: WireMessage = answer;
  if (message.type === 'error' || message.error !== undefined) {
    return [{ type: 'error', error: fromErrorEvent(message.error) }];
  }
  if (!Array.isArray(message.content)) throw malformed('it has no list of content blocks');
  const parts: StreamPart[] = [{ type: 'start', id: toText(message.id), model: toText(message.model) }];
  let toolCalls = 0;
  let textLength = 0;
  for (const block of message.content as readonly JsonValue[]) {
    if (!isJsonObject(block)) throw malformed('a content block is not an object');
    const read = readBlock(block, { toolCalls, textLength });
    for (const part of read) {
      parts.push(part);
      if (part.type === 'tool-call-delta') toolCalls++;
      if (part.type === 'text-delta') textLength += part.text.length;
    }
  }
  const usage = toReportedUsage(readCounts(message.usage));
  if (usage !== undefined) parts.push({ type: 'usage', usage });
  if (typeof message.stop_reason === 'string') {
    parts.push({ type: 'finish', choice: 0, reason: fromStopReason(message.stop_reason, message.stop_sequence) });
  }
  return parts;
}

/** What the blocks before one have said. */
interface Said {
  readonly toolCalls: number;
  /** In characters. */
  readonly textLength: number;
}

function readBlock(block: WireBlock, said: Said): StreamPart[] {
  switch (typeOf(block)) {
    case 'text': {
      const text = need(block.text, 'a text block has no text');
      const place = { start: said.textLength, end: said.textLength + text.length };
      const citations = readCitations(block.citations).map((citation) => ({ ...citation, ...place }));
      return [{ type: 'text-delta', choice: 0, text }, ...citations];
    }
    case 'thinking': {
      const parts: StreamPart[] = [];
      const text = need(block.thinking, 'a thinking block has no text');
      if (text !== '') parts.push({ type: 'reasoning-delta', choice: 0, text });
      const signature = toText(block.signature);
      if (signature) parts.push({ type: 'reasoning-signature', choice: 0, ...readSignature(signature) });
      return parts;
    }
    case 'redacted_thinking':
      return [{ type: 'redacted-reasoning', choice: 0, ...readData(need(block.data, 'a redacted block has no data')) }];
    case 'tool_use':
      return [
        {
          type: 'tool-call-delta',
          choice: 0,
          index: said.toolCalls,
          id: need(block.id, 'a tool call has no id'),
          name: need(block.name, 'a tool call has no name'),
          arguments: JSON.stringify(block.input ?? {}),
        },
      ];
    default:
      return [];
  }
}

function need(value: JsonValue | undefined, problem: string): string {
  if (typeof value !== 'string') throw malformed(problem);
  return value;
}

function toText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function malformed(problem: string): GatewayError {
  return new GatewayError('upstream_protocol', `The provider's answer is not an Anthropic message: ${problem}.`);
}

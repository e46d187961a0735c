import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import type { StreamReader } from '../dialect.ts';
import { readCitations, type Citation } from './citations.ts';
import { fromStopReason } from './finish-reason.ts';
import { plainDeltaStart, readPlainDelta } from './plain-delta.ts';
import { fromErrorEvent } from './read-error.ts';
import { readData, readSignature } from './signature.ts';
import { mergeCounts, readCounts, readFirstCounts, toReportedUsage, type WireCounts } from './usage.ts';
import { typeOf, type WireBlock, type WireDelta, type WireEvent, type WireMessage } from './wire.ts';

/**
 * Turns the events of a message stream into parts. Events, blocks and deltas of unknown type are skipped: Anthropic adds
 * them without warning. Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
 */
export function createStreamReader(): StreamReader {
  return new AnthropicStreamReader();
}

/** The caller's tool call whose block is open. Blocks never overlap. */
interface OpenToolCall {
  readonly block: JsonValue | undefined;
  readonly index: number;
  /** `input` of the block's start, which counts when no delta brings any arguments. */
  readonly input: JsonValue;
  hasArguments: boolean;
}

type Emit = (part: StreamPart) => void;
type TextPartType = 'text-delta' | 'reasoning-delta';

class AnthropicStreamReader implements StreamReader {
  thinking = false;
  /** Of all text so far, in characters. */
  #textLength = 0;
  /** Where in the text the open block begins. */
  #blockStart = 0;
  /** Of the open block, before or after its text: where they end is known when it ends. */
  #citations: Citation[] = [];
  #toolCalls = 0;
  #openToolCall: OpenToolCall | undefined;
  #counts: WireCounts = readCounts(undefined);
  /** How the next delta begins if it is of the same block as the last one, and what it is then. */
  #plain: { readonly start: string; readonly type: TextPartType } | undefined;

  read(event: string, data: string, emit: Emit): void {
    const plain = this.#plain;
    const text = plain && readPlainDelta(data, plain.start);
    if (plain === undefined || text === undefined) this.#readEvent(event, data, emit);
    else this.#emitText(plain.type, text, emit);
  }

  #readEvent(event: string, data: string, emit: Emit): void {
    const wire: WireEvent = needObject(parseJsonObject(data), 'an event is not a JSON object');
    switch (typeOf(wire) || event) {
      case 'content_block_delta':
        this.#readDelta(wire.index, needObject(wire.delta, 'a content_block_delta has no delta'), emit);
        break;
      case 'content_block_start':
        this.#readBlockStart(wire.index, needObject(wire.content_block, 'a content_block_start has no block'), emit);
        break;
      case 'content_block_stop':
        this.#closeBlock(emit);
        break;
      case 'message_start':
        this.#readMessageStart(needObject(wire.message, 'message_start has no message'), emit);
        break;
      case 'message_delta':
        this.#readMessageDelta(needObject(wire.delta, 'message_delta has no delta'), wire.usage, emit);
        break;
      case 'message_stop':
        this.#closeBlock(emit);
        emit({ type: 'done' });
        break;
      case 'error':
        emit({ type: 'error', error: fromErrorEvent(wire.error) });
        break;
      default:
    }
  }

  #readMessageStart(message: WireMessage, emit: Emit): void {
    emit({ type: 'start', id: toText(message.id), model: toText(message.model) });
    this.#readUsage(readFirstCounts(message.usage), emit);
  }

  #readBlockStart(index: JsonValue | undefined, block: WireBlock, emit: Emit): void {
    this.#closeBlock(emit);
    switch (typeOf(block)) {
      case 'text':
        this.#emitText('text-delta', toText(block.text), emit);
        break;
      case 'thinking':
        this.thinking = true;
        this.#emitText('reasoning-delta', toText(block.thinking), emit);
        emitSignature(toText(block.signature), emit);
        break;
      case 'redacted_thinking':
        emit({
          type: 'redacted-reasoning',
          choice: 0,
          ...readData(needText(block.data, 'a redacted block has no data')),
        });
        break;
      case 'tool_use':
        this.#openToolCall = { block: index, index: this.#toolCalls, input: block.input ?? {}, hasArguments: false };
        emit({
          type: 'tool-call-delta',
          choice: 0,
          index: this.#toolCalls++,
          id: needText(block.id, 'a tool call has no id'),
          name: needText(block.name, 'a tool call has no name'),
          arguments: '',
        });
        break;
      default:
    }
  }

  #readDelta(block: JsonValue | undefined, delta: WireDelta, emit: Emit): void {
    switch (typeOf(delta)) {
      case 'text_delta':
        this.#emitText('text-delta', needText(delta.text, 'a text_delta has no text'), emit);
        this.#expectPlain(block, 'text', 'text-delta');
        break;
      case 'thinking_delta':
        this.#emitText('reasoning-delta', needText(delta.thinking, 'a thinking_delta has no text'), emit);
        this.#expectPlain(block, 'thinking', 'reasoning-delta');
        break;
      case 'signature_delta':
        emitSignature(needText(delta.signature, 'a signature_delta has no signature'), emit);
        break;
      case 'citations_delta':
        this.#citations.push(...readCitations([delta.citation ?? null]));
        break;
      case 'input_json_delta': {
        const json = needText(delta.partial_json, 'an input_json_delta has no JSON');
        const call = this.#openToolCall;
        // Tools that the provider runs itself have arguments too, in blocks that are no concern of the caller's.
        if (json === '' || call === undefined || call.block !== block) return;
        call.hasArguments = true;
        emit({ type: 'tool-call-delta', choice: 0, index: call.index, arguments: json });
        break;
      }
      default:
    }
  }

  #expectPlain(block: JsonValue | undefined, kind: 'text' | 'thinking', type: TextPartType): void {
    if (typeof block === 'number') this.#plain = { start: plainDeltaStart(block, kind), type };
  }

  #readMessageDelta(delta: WireDelta, usage: JsonValue | undefined, emit: Emit): void {
    this.#closeBlock(emit);
    this.#readUsage(readCounts(usage), emit);
    if (typeof delta.stop_reason === 'string') {
      emit({ type: 'finish', choice: 0, reason: fromStopReason(delta.stop_reason, delta.stop_sequence) });
    }
  }

  #readUsage(counts: WireCounts, emit: Emit): void {
    this.#counts = mergeCounts(this.#counts, counts);
    const reported = toReportedUsage(this.#counts);
    if (reported !== undefined) emit({ type: 'usage', usage: reported });
  }

  #emitText(type: TextPartType, text: string | undefined, emit: Emit): void {
    if (!text) return;
    if (type === 'text-delta') this.#textLength += text.length;
    emit({ type, choice: 0, text });
  }

  #closeBlock(emit: Emit): void {
    for (const citation of this.#citations) emit({ ...citation, start: this.#blockStart, end: this.#textLength });
    this.#citations = [];
    this.#blockStart = this.#textLength;
    this.#closeToolCall(emit);
  }

  #closeToolCall(emit: Emit): void {
    const call = this.#openToolCall;
    if (call === undefined) return;
    this.#openToolCall = undefined;
    if (call.hasArguments) return;
    emit({ type: 'tool-call-delta', choice: 0, index: call.index, arguments: JSON.stringify(call.input) });
  }
}

function emitSignature(signature: string | undefined, emit: Emit): void {
  if (signature) emit({ type: 'reasoning-signature', choice: 0, ...readSignature(signature) });
}

function needObject(value: unknown, problem: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(problem);
  return value;
}

function needText(value: JsonValue | undefined, problem: string): string {
  if (typeof value !== 'string') throw malformed(problem);
  return value;
}

function toText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function malformed(problem: string): GatewayError {
  return new GatewayError('upstream_protocol', `The provider's stream is not Anthropic's: ${problem}.`);
}

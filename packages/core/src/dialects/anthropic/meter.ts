import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import { GatewayError } from '../../errors.ts';
import { setMember } from '../../json/edit-json.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import { findMember, skipSpace } from '../../json/scan-json.ts';
import { utf8Length } from '../../text/utf8-length.ts';
import type { EventVerdict, Meter, StreamOptions } from '../dialect.ts';
import { countTextBytes } from './count-text-bytes.ts';
import { DeltaStart } from './delta-start.ts';
import { fromStopReason } from './finish-reason.ts';
import { findEvent, type FoundEvent } from './find-event.ts';
import { fromErrorEvent } from './read-error.ts';
import { mergeCounts, readCounts, readFirstCounts, toReportedUsage, type WireCounts } from './usage.ts';
import { typeOf, type WireBlock, type WireEvent } from './wire.ts';

/** The eyes of a relay between two sides of this dialect. */
export function createMeter(options: StreamOptions): Meter {
  return new AnthropicMeter(options);
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

/** The member that holds the text of a delta, by the delta's type. */
const TEXT_MEMBERS: ReadonlyMap<string, 'text' | 'thinking' | 'partial_json'> = new Map([
  ['text_delta', 'text'],
  ['thinking_delta', 'thinking'],
  ['input_json_delta', 'partial_json'],
]);

/** Events that matter after the first content. */
const TELLING_TYPES: ReadonlySet<string> = new Set([
  'content_block_delta',
  'message_start',
  'message_delta',
  'message_stop',
  'error',
]);

class AnthropicMeter implements Meter {
  started = false;
  thinking = false;
  terminated = false;
  finishReason: FinishReason | undefined;
  usage: ReportedUsage | undefined;
  error: GatewayError | undefined;
  rewritten: Uint8Array = NOTHING;

  readonly #price: StreamOptions['price'];
  #counts: WireCounts = readCounts(undefined);
  #contentEvents = 0;
  #textBytes = 0;
  /** Of the last delta that was parsed; within a block all others begin like it. */
  #deltaStart: DeltaStart | undefined;

  constructor({ price }: StreamOptions) {
    this.#price = price;
  }

  get finished(): boolean {
    return this.finishReason !== undefined;
  }

  get countedTokens(): number {
    return Math.max(this.#contentEvents, Math.ceil(this.#textBytes / 4));
  }

  read(bytes: Uint8Array, start: number, end: number): EventVerdict {
    const deltaStart = this.#deltaStart;
    if (deltaStart?.matches(bytes, start, end)) {
      this.#countText(countTextBytes(bytes, start + deltaStart.length, end));
      return 'pass';
    }
    return this.#readTelling(bytes, findEvent(bytes, start, end));
  }

  #readTelling(bytes: Uint8Array, found: FoundEvent): EventVerdict {
    if (found.data === '') return 'pass'; // Comments only.
    if (this.started && found.type !== '' && !TELLING_TYPES.has(found.type)) return 'pass';
    if (found.type === 'message_stop') {
      this.terminated = true;
      return 'done';
    }
    const event = parseJsonObject(found.data);
    if (event !== undefined) return this.#readEvent(event, bytes, found);
    return this.#fail(new GatewayError('upstream_protocol', 'An event of the provider is not a JSON object.'));
  }

  #readEvent(event: WireEvent, bytes: Uint8Array, found: FoundEvent): EventVerdict {
    switch (typeOf(event) || found.name) {
      case 'content_block_delta':
        if (!isJsonObject(event.delta)) {
          return this.#fail(new GatewayError('upstream_protocol', 'A content event of the provider has no content.'));
        }
        this.#readDelta(event.delta, bytes, found);
        return 'pass';
      case 'content_block_start':
        this.#readBlockStart(event.content_block);
        return 'pass';
      case 'message_start':
        if (isJsonObject(event.message)) this.#readUsage(readFirstCounts(event.message['usage']));
        return 'pass';
      case 'message_delta':
        this.#readUsage(readCounts(event.usage));
        return this.#readStopReason(event, bytes, found);
      case 'message_stop':
        this.terminated = true;
        return 'done';
      case 'error':
        return this.#fail(fromErrorEvent(event.error));
      default:
        return 'pass';
    }
  }

  #readDelta(delta: JsonObject, bytes: Uint8Array, { start, dataStart }: FoundEvent): void {
    const member = TEXT_MEMBERS.get(typeOf(delta));
    const words = member && delta[member];
    if (member === undefined || typeof words !== 'string') return;
    this.#countText(utf8Length(words));
    if (dataStart === undefined) return;
    const deltaMember = findMember(bytes, skipSpace(bytes, dataStart), 'delta');
    const text = deltaMember && findMember(bytes, deltaMember.valueStart, member);
    if (text !== undefined) this.#deltaStart = new DeltaStart(bytes.subarray(start, text.valueStart + 1));
  }

  #readBlockStart(block: JsonValue | undefined): void {
    if (!isJsonObject(block)) return;
    const { text, thinking }: WireBlock = block;
    const type = typeOf(block);
    // Text and thinking begin with their first words; any other block, of a tool or redacted, is content as such.
    if (type === 'thinking') this.thinking = true;
    else if (type !== 'text') this.started = true;
    for (const words of [text, thinking]) {
      if (typeof words === 'string') this.#countText(utf8Length(words));
    }
  }

  #readStopReason(event: WireEvent, bytes: Uint8Array, found: FoundEvent): EventVerdict {
    const raw = isJsonObject(event.delta) ? event.delta['stop_reason'] : undefined;
    if (typeof raw !== 'string') return 'pass';
    this.finishReason = fromStopReason(raw, isJsonObject(event.delta) ? event.delta['stop_sequence'] : undefined);
    this.started = true;
    if (!isJsonObject(event.usage)) return 'pass';
    const receipt = this.#price(this.usage, this.countedTokens);
    this.rewritten = withCost(bytes, found, formatUsd(receipt.cost.total));
    return 'rewrite';
  }

  #readUsage(counts: WireCounts): void {
    this.#counts = mergeCounts(this.#counts, counts);
    this.usage = toReportedUsage(this.#counts);
  }

  #countText(bytes: number): void {
    if (bytes === 0) return;
    this.started = true;
    this.#contentEvents++;
    this.#textBytes += bytes;
  }

  #fail(error: GatewayError): EventVerdict {
    this.error = error;
    return 'error';
  }
}

/** The event with `usage.cost` set; every other byte as it was. */
function withCost(bytes: Uint8Array, { start, end, dataStart, data }: FoundEvent, cost: string): Uint8Array {
  if (dataStart === undefined) {
    // Data on several lines is joined first: JSON breaks lines only where a space may stand.
    const joined = encoder.encode(`event: message_delta\ndata: ${data.replaceAll('\n', ' ')}\n\n`);
    return withCost(joined, findEvent(joined, 0, joined.length), cost);
  }
  const event = bytes.slice(start, end);
  const usage = findMember(event, skipSpace(event, dataStart - start), 'usage');
  return usage === undefined ? event : setMember(event, usage.valueStart, { name: 'cost', value: cost });
}

import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { GatewayError } from '../../errors.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import { findMember, skipSpace } from '../../json/scan-json.ts';
import { readEventData } from '../../sse/event-data.ts';
import type { EventVerdict, Meter, StreamOptions } from '../dialect.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { readFinishReason } from './finish-reason.ts';
import { patchEventData } from './patch-answer.ts';
import { readUsage } from './usage.ts';

const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder();

/** The eyes of a relay between two sides of this dialect. Only the first and the last events are parsed. */
export function createMeter(options: StreamOptions): Meter {
  return new ResponsesMeter(options);
}

class ResponsesMeter implements Meter {
  started = false;
  thinking = false;
  finished = false;
  terminated = false;
  finishReason: FinishReason | undefined;
  usage: ReportedUsage | undefined;
  error: GatewayError | undefined;
  readonly rewritten: Uint8Array = NO_BYTES;
  terminator: string | undefined;
  sequence = 0;

  readonly #price: StreamOptions['price'];
  #contentEvents = 0;
  #textBytes = 0;

  constructor({ price }: StreamOptions) {
    this.#price = price;
  }

  get countedTokens(): number {
    return Math.max(this.#contentEvents, Math.ceil(this.#textBytes / 4));
  }

  read(bytes: Uint8Array, start: number, end: number): EventVerdict {
    const { event, data } = readEventData(bytes, start, end);
    if (data === undefined) return 'pass';
    // Without a name the type stands in the data alone.
    const type = event === '' ? parseJsonObject(decoder.decode(data))?.['type'] : event;
    if (typeof type !== 'string') return this.#fail('The provider sent an event that is not a JSON object.');
    this.sequence++;
    if (type.endsWith('.delta')) return this.#readDelta(data);
    switch (type) {
      case 'response.output_item.added':
        return this.#readItem(data);
      case 'response.completed':
      case 'response.incomplete':
        return this.#readEnd(type, data);
      case 'response.failed':
      case 'error':
        return this.#readError(data);
      default:
        return 'pass';
    }
  }

  #readDelta(data: Uint8Array): EventVerdict {
    const delta = findMember(data, skipSpace(data, 0), 'delta');
    // A text, its quotes not counted.
    const length = delta === undefined ? 0 : delta.end - delta.valueStart - 2;
    if (length <= 0) return 'pass';
    this.started = true;
    this.#contentEvents++;
    this.#textBytes += length;
    return 'pass';
  }

  /** Text begins with its first delta; a call, or whatever a tool of the provider's does, is content as such. */
  #readItem(data: Uint8Array): EventVerdict {
    const item = parseJsonObject(decoder.decode(data))?.['item'];
    if (!isJsonObject(item)) return this.#fail('The provider sent an output item that is none.');
    if (item['type'] === 'reasoning') this.thinking = true;
    else if (item['type'] !== 'message') this.started = true;
    return 'pass';
  }

  #readEnd(type: string, data: Uint8Array): EventVerdict {
    const response = parseJsonObject(decoder.decode(data))?.['response'];
    if (!isJsonObject(response)) return this.#fail('The provider ended its stream without a response.');
    this.started = this.finished = this.terminated = true;
    this.finishReason = readFinishReason(response);
    this.usage = readUsage(response['usage']) ?? this.usage;
    const receipt = this.#price(this.usage, this.countedTokens);
    this.terminator = `event: ${type}\ndata: ${decoder.decode(patchEventData(data, receipt)).replaceAll('\n', ' ')}\n\n`;
    return 'done';
  }

  #readError(data: Uint8Array): EventVerdict {
    const said: JsonObject = parseJsonObject(decoder.decode(data)) ?? {};
    const { response, error } = said;
    this.error = readInlineError((isJsonObject(response) ? response['error'] : error) ?? said);
    return 'error';
  }

  #fail(problem: string): EventVerdict {
    this.error = new GatewayError('upstream_protocol', problem);
    return 'error';
  }
}

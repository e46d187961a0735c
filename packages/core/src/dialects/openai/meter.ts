import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { isGatewayError, type GatewayError } from '../../errors.ts';
import { cut } from '../../json/edit-json.ts';
import { extentWithComma, findMember, skipSpace, type Extent } from '../../json/scan-json.ts';
import { utf8Length } from '../../text/utf8-length.ts';
import type { EventVerdict, Meter, StreamOptions } from '../dialect.ts';
import { ByteSpace } from './byte-space.ts';
import { createMessageCompleter, type MessageCompleter } from './complete-messages.ts';
import { readEventData, type EventData } from '../../sse/event-data.ts';
import { EventTemplate } from './event-template.ts';
import { setUsageCost } from './patch-answer.ts';
import { createChunkReader, DONE, parseChunk } from './read-stream.ts';
import { findReasonings, repeatReasonings } from './repeat-reasoning.ts';
import { writeUsage } from './usage.ts';
import type { WireAnswer } from './wire.ts';
import { TERMINATOR } from './write-stream.ts';

const NO_BYTES = new Uint8Array();
const NOTHING: Extent = { start: 0, end: 0 };
/** After so many templates in a row without use the events are too different from each other to go on making them. */
const MAX_USELESS_TEMPLATES = 16;
/** From then on one is made of each so many content events, in case the stream has changed since. */
const RETRY_EVENTS = 64;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function createMeter(options: StreamOptions): Meter {
  return new OpenaiMeter(options);
}

/**
 * Content events are compared with the one before ({@link EventTemplate}); all others are parsed and read by the
 * dialect's own reader.
 */
class OpenaiMeter implements Meter {
  started = false;
  finished = false;
  terminated = false;
  finishReason: FinishReason | undefined;
  usage: ReportedUsage | undefined;
  error: GatewayError | undefined;
  rewritten: Uint8Array = NO_BYTES;
  runOutput: Uint8Array | undefined;

  readonly #options: StreamOptions;
  readonly #readChunk = createChunkReader();
  readonly #seenChoices = new Set<number>();
  readonly #finishedChoices = new Set<number>();
  #contentEvents = 0;
  #textBytes = 0;
  #template: EventTemplate | undefined;
  #uselessTemplates = 0;
  readonly #space = new ByteSpace();
  /** Of providers whose messages are not whole. */
  readonly #completer: MessageCompleter | undefined;
  /** What chunks say of themselves. */
  #identity: JsonObject = {};
  /** A chunk with the usage of the whole stream, and its price, went out. */
  #hasPricedUsage = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#completer = createMessageCompleter(options.quirks);
  }

  get countedTokens(): number {
    return Math.max(this.#contentEvents, Math.ceil(this.#textBytes / 4));
  }

  /** The usage that the caller has asked for goes out before it when the provider sent none. */
  get terminator(): string | undefined {
    const { includeUsage, price } = this.#options;
    if (!includeUsage || this.#hasPricedUsage) return undefined;
    const chunk = JSON.stringify({ ...this.#identity, object: 'chat.completion.chunk', choices: [] });
    const usage = writeUsage(price(this.usage, this.countedTokens));
    return `data: ${chunk.slice(0, -1)},"usage":${usage}}\n\n${TERMINATOR}`;
  }

  read(bytes: Uint8Array, start: number, end: number): EventVerdict {
    const template = this.#template;
    if (template?.match(bytes, start) !== end) return this.#readOther(bytes, start, end);
    this.#count(template);
    if (template.cutBytes === 0 && !template.repeats) return 'pass';
    this.rewritten = this.#space.take(end - start + template.growth);
    template.write(bytes, { start, end }, this.rewritten);
    return 'rewrite';
  }

  readRun(bytes: Uint8Array, start: number): number {
    const template = this.#template;
    this.runOutput = undefined;
    if (template === undefined) return start;
    if (template.repeats) return this.#repeatRun(bytes, start, template);
    return template.cutBytes === 0 ? this.#passRun(bytes, start, template) : this.#cutRun(bytes, start, template);
  }

  #passRun(bytes: Uint8Array, start: number, template: EventTemplate): number {
    let end = start;
    for (let next = template.match(bytes, end); next !== -1; next = template.match(bytes, end)) {
      this.#count(template);
      end = next;
    }
    return end;
  }

  #cutRun(bytes: Uint8Array, start: number, template: EventTemplate): number {
    let end = template.match(bytes, start);
    if (end === -1) return start;
    // Copied once with all that is to go, and then closed up: one move per event.
    const output = this.#space.take(bytes.length - start);
    output.set(start === 0 ? bytes : bytes.subarray(start));
    let length = template.cutStart - start;
    for (let next = end; next !== -1;) {
      this.#count(template);
      end = next;
      const from = template.cutStart + template.cutBytes;
      next = template.match(bytes, end);
      const to = next === -1 ? end : template.cutStart;
      output.copyWithin(length, from - start, to - start);
      length += to - from;
    }
    this.runOutput = output.subarray(0, length);
    return end;
  }

  #repeatRun(bytes: Uint8Array, start: number, template: EventTemplate): number {
    let next = template.match(bytes, start);
    if (next === -1) return start;
    // No event becomes more than twice as long: what stands around its text is longer than the name of the copy.
    const output = this.#space.take(2 * (bytes.length - start));
    let end = start;
    let length = 0;
    for (; next !== -1; next = template.match(bytes, end)) {
      this.#count(template);
      length += template.write(bytes, { start: end, end: next }, output.subarray(length));
      end = next;
    }
    this.runOutput = output.subarray(0, length);
    return end;
  }

  #count({ textBytes }: EventTemplate): void {
    this.#uselessTemplates = 0;
    if (textBytes === 0) return;
    this.#contentEvents++;
    this.#textBytes += textBytes;
  }

  #readOther(bytes: Uint8Array, start: number, end: number): EventVerdict {
    // A plain view: taking pieces of a Node buffer costs four times as much.
    const event = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
    const said = readEventData(event, 0, event.length);
    if (said.data === undefined) return 'pass';
    const text = decoder.decode(said.data).trim();
    if (text === DONE) {
      this.terminated = true;
      return 'done';
    }
    // Official clients parse the data of each event and would fail on none.
    if (text === '') return 'drop';
    try {
      const chunk = parseChunk(said.event, text);
      const isOrdinary = this.#readFacts(chunk);
      if (this.error !== undefined) return 'error';
      const place = { event, said, isOrdinary };
      const reasonings = this.#options.quirks?.bareReasoning === true ? findReasonings(said.data, 'delta') : [];
      if (reasonings.length > 0) return this.#judgeRepeated(chunk, reasonings, place);
      const completed = this.#completer?.complete(chunk, 'delta');
      if (completed === undefined) return this.#judge(chunk, place);
      return this.#judgeChanged(completed, encoder.encode(JSON.stringify(completed)), place);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.error = error;
      return 'error';
    }
  }

  /** Takes the facts from a chunk. True when it is an ordinary one: content, and nothing else that must be known. */
  #readFacts(chunk: WireAnswer): boolean {
    let isContent = false;
    let isOrdinary = true;
    const count = (text: string) => {
      isContent = true;
      this.#textBytes += utf8Length(text);
    };
    this.#readChunk(chunk, (part: StreamPart) => {
      if ('choice' in part) this.#seenChoices.add(part.choice);
      switch (part.type) {
        case 'text-delta':
        case 'reasoning-delta':
        case 'refusal-delta':
          count(part.text);
          break;
        case 'tool-call-delta':
          count(part.arguments);
          break;
        case 'redacted-reasoning':
        case 'reasoning-signature':
          isContent = true;
          break;
        case 'logprobs':
        case 'citation':
          isOrdinary = false;
          break;
        case 'finish':
          isOrdinary = false;
          this.started = true;
          this.#finishedChoices.add(part.choice);
          if (part.choice === 0) this.finishReason ??= part.reason;
          break;
        case 'usage':
          isOrdinary = false;
          this.usage = part.usage;
          break;
        case 'error':
          isOrdinary = false;
          this.error ??= part.error;
          break;
        case 'start':
          this.#identity = { id: part.id, created: part.created, model: part.model };
          break;
        case 'done':
          break;
      }
    });
    isContent ||= hasOtherContent(chunk);
    if (isContent) {
      this.started = true;
      this.#contentEvents++;
    }
    this.finished = this.#finishedChoices.size >= Math.max(this.#options.choices, this.#seenChoices.size);
    return isContent && isOrdinary;
  }

  /** Of a chunk whose reasonings go out twice. */
  #judgeRepeated(chunk: WireAnswer, reasonings: readonly Extent[], place: ParsedEvent): EventVerdict {
    const [reasoning, another] = reasonings;
    if (another === undefined) this.#learn(chunk, place, reasoning);
    return this.#judgeChanged(chunk, repeatReasonings(place.said.data ?? NO_BYTES, reasonings), place);
  }

  /** Of a chunk that goes out with other data than it came with. */
  #judgeChanged(chunk: WireAnswer, data: Uint8Array, { event, said }: ParsedEvent): EventVerdict {
    const changed = { event, said: { ...said, data }, isOrdinary: false };
    const verdict = this.#judge(chunk, changed);
    return verdict === 'pass' ? this.#rewrite(changed, data) : verdict;
  }

  #judge(chunk: WireAnswer, place: ParsedEvent): EventVerdict {
    if (isJsonObject(chunk.usage)) return this.#judgeUsage(chunk, place);
    this.#learn(chunk, place);
    const { data } = place.said;
    const cutOut = this.#findCut(chunk, place.said);
    return data === undefined || cutOut === undefined ? 'pass' : this.#rewrite(place, cut(data, cutOut));
  }

  #judgeUsage(chunk: WireAnswer, place: ParsedEvent): EventVerdict {
    const isUsageOnly = !Array.isArray(chunk.choices) || chunk.choices.length === 0;
    if (!this.#options.includeUsage) return isUsageOnly ? 'drop' : 'pass';
    const { data } = place.said;
    // Usage on an earlier chunk is a running count, not yet what the request costs.
    if (data === undefined || !(isUsageOnly || this.finished)) return 'pass';
    this.#hasPricedUsage = true;
    const receipt = this.#options.price(this.usage, this.countedTokens);
    return this.#rewrite(place, setUsageCost(data, skipSpace(data, 0), receipt));
  }

  /** The member `"usage":null` that nobody asked for and its comma, as an extent of the data. */
  #findCut(chunk: WireAnswer, { data }: EventData): Extent | undefined {
    if (chunk.usage !== null || this.#options.includeUsage) return undefined;
    const usage = data && findMember(data, skipSpace(data, 0), 'usage');
    return data && usage && extentWithComma(data, usage);
  }

  #isWorthLearning(): boolean {
    return this.#uselessTemplates < MAX_USELESS_TEMPLATES || this.#contentEvents % RETRY_EVENTS === 0;
  }

  /** `repeated`: the literal in the data that goes out twice. */
  #learn(chunk: WireAnswer, { event, said, isOrdinary }: ParsedEvent, repeated?: Extent): void {
    const data = said.extent;
    if (!isOrdinary || data === undefined || !this.#isWorthLearning()) return;
    const inEvent = ({ start, end }: Extent): Extent => ({ start: data.start + start, end: data.start + end });
    const cutOut = this.#findCut(chunk, said);
    this.#template = new EventTemplate(event, {
      data,
      cut: cutOut === undefined ? NOTHING : inEvent(cutOut),
      repeated: repeated && inEvent(repeated),
    });
    this.#uselessTemplates++;
  }

  /** The event with other data; data on several lines goes out on one. */
  #rewrite({ event, said: { extent } }: ParsedEvent, data: Uint8Array): EventVerdict {
    const before = extent === undefined ? encoder.encode('data: ') : event.subarray(0, extent.start);
    const after = extent === undefined ? encoder.encode('\n\n') : event.subarray(extent.end);
    const rewritten = new Uint8Array(before.length + data.length + after.length);
    rewritten.set(before);
    // Between the tokens of valid JSON a line feed is a space like any other.
    rewritten.set(extent === undefined ? data.map((byte) => (byte === 0x0a ? 0x20 : byte)) : data, before.length);
    rewritten.set(after, before.length + data.length);
    this.rewritten = rewritten;
    return 'rewrite';
  }
}

interface ParsedEvent {
  readonly event: Uint8Array;
  readonly said: EventData;
  /** Content and nothing else: good for a template. */
  readonly isOrdinary: boolean;
}

/** Content without neutral words, which is relayed all the same: speech, and tool calls of the time before tools. */
function hasOtherContent({ choices }: WireAnswer): boolean {
  if (!Array.isArray(choices)) return false;
  return choices.some((choice: unknown) => {
    const delta = isJsonObject(choice) ? choice['delta'] : undefined;
    return isJsonObject(delta) && (isJsonObject(delta['audio']) || isJsonObject(delta['function_call']));
  });
}

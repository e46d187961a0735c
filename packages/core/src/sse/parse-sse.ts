import { GatewayError } from '../errors.ts';
import { utf8Length } from '../text/utf8-length.ts';
import { DEFAULT_MAX_EVENT_BYTES, DEFAULT_MAX_LINE_BYTES, MAX_DATA_LINES, type SseLimits } from './limits.ts';
import { LF, toLineFeeds } from './line-ends.ts';

/** One dispatched event. */
export interface SseEvent {
  /** Its name; `message` where the stream gave none. */
  readonly event: string;
  /** The values of its `data` lines, joined by LF. */
  readonly data: string;
  /** The last event id at this point of the stream: it stays until another comes. `''` when none came. */
  readonly id: string;
  /** The reconnection time in milliseconds that this event carried; `undefined` when it carried none. */
  readonly retry: number | undefined;
}

/** What a parser tells of, and its limits. */
export interface SseParserOptions extends SseLimits {
  readonly onEvent: (event: SseEvent) => void;
  /** Takes a comment's text after the colon and one space. */
  readonly onComment?: ((text: string) => void) | undefined;
  /** Takes a reconnection time in milliseconds as soon as its line is read. */
  readonly onRetry?: ((milliseconds: number) => void) | undefined;
}

/** Reads a stream of events, cut anywhere. */
export interface SseParser {
  /**
   * Reads the next bytes of the stream, cut anywhere, and calls the handlers for all that is complete.
   * @throws GatewayError `upstream_protocol` when a line or event is past its limit; what came before it was handed out.
   */
  push(bytes: Uint8Array): void;
  /** Ends the stream. An event without its blank line is dropped, as the specification asks. */
  end(): void;
  /** The id that a reconnecting reader would send; `''` when none came. */
  readonly lastEventId: string;
}

// Only a byte order mark at the start of the stream is dropped; a decoder would do it for every chunk.
const wholeDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * An incremental parser of Server-Sent Events over bytes, with bounded memory.
 *
 * Each chunk is decoded in one call and searched once per line; only the text of an unfinished line waits. A
 * streaming decode of a small chunk takes about 1.4 times as long as a plain one, so it is kept for chunks around a
 * character that may be cut: those whose last byte is not ASCII, and the next.
 *
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createSseParser(options: SseParserOptions): SseParser {
  return new BoundedSseParser(options);
}

class BoundedSseParser implements SseParser {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #options: SseParserOptions;
  readonly #maxEventBytes: number;
  readonly #maxLineBytes: number;

  /** Made by the first chunk that ends inside a character. */
  #cutDecoder: TextDecoder | undefined;
  #characterIsCut = false;
  /** The first character of the next text is skipped when it is this: a byte order mark, or the LF of a CR LF. */
  #skippedAtStart = BYTE_ORDER_MARK;
  /** The unfinished line, in the pieces it came in, and its size. */
  #pieces: string[] = [];
  #piecesBytes = 0;
  #stopped: Error | undefined;

  #name = '';
  #data = '';
  #dataLines = 0;
  #dataBytes = 0;
  #id = '';
  #lastEventId = '';
  #retry: number | undefined;

  constructor(options: SseParserOptions) {
    this.#onEvent = options.onEvent;
    this.#options = options;
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
    this.#maxLineBytes = Math.min(options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES, this.#maxEventBytes);
  }

  get lastEventId(): string {
    return this.#lastEventId;
  }

  end(): void {
    this.#stop(new Error('this SSE parser has ended'));
  }

  push(bytes: Uint8Array): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    const wasCut = this.#characterIsCut;
    const decoded = this.#decode(bytes);
    if (decoded === '') return;

    let start = decoded.charCodeAt(0) === this.#skippedAtStart ? 1 : 0;
    this.#skippedAtStart = NOTHING;
    let text = decoded;
    if (decoded.includes('\r')) {
      if (decoded.endsWith('\r')) this.#skippedAtStart = LF;
      text = toLineFeeds(decoded);
    }

    // Lines are measured only when one could be too long. Where characters are as many as bytes, each is one byte.
    const measure = this.#piecesBytes + bytes.length > this.#maxLineBytes;
    const oneByteEach = decoded.length === bytes.length && !wasCut;
    let end = text.indexOf('\n', start);
    if (end !== -1 && this.#pieces.length > 0) {
      const line = this.#takePieces(text.slice(start, end), oneByteEach);
      this.#readLine(line, 0, line.length);
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    while (end !== -1) {
      if (measure) this.#measureLine(text.slice(start, end), oneByteEach);
      start = this.#readLine(text, start, end);
      end = text.indexOf('\n', start);
    }
    if (start < text.length) this.#holdPiece(text.slice(start), oneByteEach);
  }

  #decode(bytes: Uint8Array): string {
    if (bytes.length === 0) return '';
    const endsInAscii = (bytes[bytes.length - 1] ?? 0) < 0x80;
    if (endsInAscii && !this.#characterIsCut) return wholeDecoder.decode(bytes);
    this.#characterIsCut = !endsInAscii;
    this.#cutDecoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
    return this.#cutDecoder.decode(bytes, { stream: this.#characterIsCut });
  }

  /** Keeps a piece of an unfinished line. */
  #holdPiece(piece: string, oneByteEach: boolean): void {
    this.#piecesBytes = this.#measureLine(piece, oneByteEach);
    this.#pieces.push(piece);
    // A piece costs memory beyond its characters, so many are made one.
    if (this.#pieces.length === MAX_PIECES) this.#pieces = [this.#pieces.join('')];
  }

  /** The line that was held, ended by `piece`. */
  #takePieces(piece: string, oneByteEach: boolean): string {
    this.#measureLine(piece, oneByteEach);
    this.#pieces.push(piece);
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#piecesBytes = 0;
    return line;
  }

  /** The bytes of the line that was held with `piece` added. */
  #measureLine(piece: string, oneByteEach: boolean): number {
    const bytes = this.#piecesBytes + (oneByteEach ? piece.length : utf8Length(piece));
    if (bytes > this.#maxLineBytes) this.#refuse(`an SSE line is longer than ${this.#maxLineBytes} bytes`);
    return bytes;
  }

  /** Reads the line `text[start, end)` and gives where the next begins. */
  #readLine(text: string, start: number, end: number): number {
    if (isData(text, start)) {
      const value = text.slice(text.charCodeAt(start + 5) === SPACE ? start + 6 : start + 5, end);
      // Nearly every event ends after one `data` line: it goes out without a stop in between.
      if (this.#dataLines === 0 && text.charCodeAt(end + 1) === LF) {
        this.#dispatch(value);
        return end + 2;
      }
      this.#addData(value);
    } else if (start === end) {
      this.#endEvent();
    } else if (isEvent(text, start)) {
      this.#name = text.slice(text.charCodeAt(start + 6) === SPACE ? start + 7 : start + 6, end);
    } else {
      this.#readOtherLine(text.slice(start, end));
    }
    return end + 1;
  }

  #readOtherLine(line: string): void {
    const colon = line.indexOf(':');
    if (colon === -1) return this.#readField(line, '');
    const value = line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (colon === 0) this.#options.onComment?.(value);
    else this.#readField(line.slice(0, colon), value);
  }

  #readField(field: string, value: string): void {
    if (field === 'data') this.#addData(value);
    else if (field === 'event') this.#name = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && isDigits(value)) {
      this.#retry = Number(value);
      this.#options.onRetry?.(this.#retry);
    }
  }

  #addData(value: string): void {
    this.#dataLines++;
    if (this.#dataLines === 1) {
      this.#data = value;
      return;
    }
    if (this.#dataLines > MAX_DATA_LINES) this.#refuse(`an SSE event has more than ${MAX_DATA_LINES} data lines`);
    // A single line is within the line's limit, so counting starts with the second.
    if (this.#dataLines === 2) this.#dataBytes = utf8Length(this.#data);
    const bytes = encoder.encode(value);
    this.#dataBytes += 1 + bytes.length;
    if (this.#dataBytes > this.#maxEventBytes) {
      this.#refuse(`an SSE event is longer than ${this.#maxEventBytes} bytes`);
    }
    // A copy, because a slice would keep its whole chunk in memory: a thousand short lines, a thousand chunks.
    this.#data += `\n${wholeDecoder.decode(bytes)}`;
  }

  #endEvent(): void {
    if (this.#dataLines > 0) {
      const whole = this.#data;
      this.#data = '';
      this.#dataLines = 0;
      this.#dispatch(whole);
    } else {
      this.#lastEventId = this.#id;
      this.#name = '';
      this.#retry = undefined;
    }
  }

  #dispatch(data: string): void {
    const event = { event: this.#name === '' ? 'message' : this.#name, data, id: this.#id, retry: this.#retry };
    this.#lastEventId = this.#id;
    this.#name = '';
    this.#retry = undefined;
    this.#onEvent(event);
  }

  #refuse(message: string): never {
    const error = new GatewayError('upstream_protocol', message);
    this.#stop(error);
    throw error;
  }

  #stop(reason: Error): void {
    this.#stopped ??= reason;
    this.#pieces = [];
    this.#data = '';
  }
}

const SPACE = 32;
const BYTE_ORDER_MARK = 0xfeff;
const NOTHING = -1;
/** Pieces of one line that are kept apart. Joining them is linear in the line, so it must be rare. */
const MAX_PIECES = 16_384;

function isDigits(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code < 48 || code > 57) return false;
  }
  return value !== '';
}

/** True when `text` has `data:` at `start`; by hand this is faster than `startsWith`. */
function isData(text: string, start: number): boolean {
  return (
    text.charCodeAt(start) === 100 &&
    text.charCodeAt(start + 1) === 97 &&
    text.charCodeAt(start + 2) === 116 &&
    text.charCodeAt(start + 3) === 97 &&
    text.charCodeAt(start + 4) === 58
  );
}

/** True when `text` has `event:` at `start`. */
function isEvent(text: string, start: number): boolean {
  return (
    text.charCodeAt(start) === 101 &&
    text.charCodeAt(start + 1) === 118 &&
    text.charCodeAt(start + 2) === 101 &&
    text.charCodeAt(start + 3) === 110 &&
    text.charCodeAt(start + 4) === 116 &&
    text.charCodeAt(start + 5) === 58
  );
}

import { GatewayError } from '../errors.ts';
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

export interface SseParserOptions extends SseLimits {
  readonly onEvent: (event: SseEvent) => void;
  /** Takes a comment's text after the colon and one space. */
  readonly onComment?: ((text: string) => void) | undefined;
  /** Takes a reconnection time in milliseconds as soon as its line is read. */
  readonly onRetry?: ((milliseconds: number) => void) | undefined;
}

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
  const { onEvent, onComment, onRetry } = options;
  const maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  const maxLineBytes = Math.min(options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES, maxEventBytes);

  // Only a byte order mark at the start of the stream is dropped; a decoder would do it for every chunk.
  const wholeDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const cutDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  let characterIsCut = false;
  /** The first character of the next text is skipped when it is this: a byte order mark, or the LF of a CR LF. */
  let skippedAtStart = BYTE_ORDER_MARK;
  /** The unfinished line, in the pieces it came in, and its size. */
  let pieces: string[] = [];
  let piecesBytes = 0;
  let stopped: Error | undefined;

  let name = '';
  let data = '';
  let dataLines = 0;
  let dataBytes = 0;
  let id = '';
  let lastEventId = '';
  let retry: number | undefined;

  function push(bytes: Uint8Array): void {
    if (stopped) throw stopped;
    const wasCut = characterIsCut;
    const decoded = decode(bytes);
    if (decoded === '') return;

    let start = decoded.charCodeAt(0) === skippedAtStart ? 1 : 0;
    skippedAtStart = NOTHING;
    let text = decoded;
    if (decoded.includes('\r')) {
      if (decoded.endsWith('\r')) skippedAtStart = LF;
      text = toLineFeeds(decoded);
    }

    // Lines are measured only when one could be too long. Where characters are as many as bytes, each is one byte.
    const measure = piecesBytes + bytes.length > maxLineBytes;
    const oneByteEach = decoded.length === bytes.length && !wasCut;
    while (start < text.length) {
      const end = text.indexOf('\n', start);
      if (end === -1) {
        holdPiece(text.slice(start), oneByteEach);
        return;
      }
      if (measure) measureLine(text.slice(start, end), oneByteEach);
      if (pieces.length > 0) {
        const line = takePieces(text.slice(start, end));
        readLine(line, 0, line.length);
        start = end + 1;
      } else if (dataLines === 0 && text.charCodeAt(end + 1) === LF && text.startsWith('data:', start)) {
        // Nearly every event is one `data` line and a blank line: it goes out without a stop in between.
        dispatch(text.slice(text.charCodeAt(start + 5) === SPACE ? start + 6 : start + 5, end));
        start = end + 2;
      } else {
        readLine(text, start, end);
        start = end + 1;
      }
    }
  }

  function decode(bytes: Uint8Array): string {
    if (bytes.length === 0) return '';
    const endsInAscii = (bytes[bytes.length - 1] ?? 0) < 0x80;
    if (endsInAscii && !characterIsCut) return wholeDecoder.decode(bytes);
    characterIsCut = !endsInAscii;
    return cutDecoder.decode(bytes, { stream: characterIsCut });
  }

  /** Keeps a piece of an unfinished line. */
  function holdPiece(piece: string, oneByteEach: boolean): void {
    piecesBytes = measureLine(piece, oneByteEach);
    pieces.push(piece);
    // A piece costs memory beyond its characters, so many are made one.
    if (pieces.length === MAX_PIECES) pieces = [pieces.join('')];
  }

  /** The line that was held, ended by `piece`. */
  function takePieces(piece: string): string {
    pieces.push(piece);
    const line = pieces.join('');
    pieces = [];
    piecesBytes = 0;
    return line;
  }

  /** The bytes of the line that was held with `piece` added. */
  function measureLine(piece: string, oneByteEach: boolean): number {
    const bytes = piecesBytes + (oneByteEach ? piece.length : utf8Length(piece));
    if (bytes > maxLineBytes) refuse(`an SSE line is longer than ${maxLineBytes} bytes`);
    return bytes;
  }

  /** Reads the line `text[start, end)`. */
  function readLine(text: string, start: number, end: number): void {
    if (start === end) return endEvent();
    const line = text.slice(start, end);
    const colon = line.indexOf(':');
    if (colon === -1) return readField(line, '');
    const value = line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (colon === 0) onComment?.(value);
    else readField(line.slice(0, colon), value);
  }

  function readField(field: string, value: string): void {
    if (field === 'data') addData(value);
    else if (field === 'event') name = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && isDigits(value)) {
      retry = Number(value);
      onRetry?.(retry);
    }
  }

  function addData(value: string): void {
    dataLines++;
    if (dataLines === 1) {
      data = value;
      return;
    }
    if (dataLines > MAX_DATA_LINES) refuse(`an SSE event has more than ${MAX_DATA_LINES} data lines`);
    // A single line is within the line's limit, so counting starts with the second.
    if (dataLines === 2) dataBytes = utf8Length(data);
    const bytes = encoder.encode(value);
    dataBytes += 1 + bytes.length;
    if (dataBytes > maxEventBytes) refuse(`an SSE event is longer than ${maxEventBytes} bytes`);
    // A copy, because a slice would keep its whole chunk in memory: a thousand short lines, a thousand chunks.
    data += `\n${wholeDecoder.decode(bytes)}`;
  }

  function endEvent(): void {
    if (dataLines > 0) {
      const whole = data;
      data = '';
      dataLines = 0;
      dispatch(whole);
    } else {
      lastEventId = id;
      name = '';
      retry = undefined;
    }
  }

  function dispatch(whole: string): void {
    const event = { event: name === '' ? 'message' : name, data: whole, id, retry };
    lastEventId = id;
    name = '';
    retry = undefined;
    onEvent(event);
  }

  function refuse(message: string): never {
    const error = new GatewayError('upstream_protocol', message);
    stop(error);
    throw error;
  }

  function stop(reason: Error): void {
    stopped ??= reason;
    pieces = [];
    data = '';
  }

  return {
    push,
    end: () => stop(new Error('this SSE parser has ended')),
    get lastEventId() {
      return lastEventId;
    },
  };
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

/** Bytes of `text` in UTF-8. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // The two halves of a surrogate pair are four bytes together.
    if (code >= 0x80) length += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return length;
}

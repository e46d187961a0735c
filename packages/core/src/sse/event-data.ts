import type { Extent } from '../json/scan-json.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** What one SSE event says and where in its bytes it says it. */
export interface EventData {
  /** Its name; empty where it has none. */
  readonly event: string;
  /** The data; several lines of it are joined by line feeds. `undefined` for an event of comments only. */
  readonly data: Uint8Array | undefined;
  /** Where the data stands in the bytes; `undefined` when it is on several lines. */
  readonly extent: Extent | undefined;
}

const decoder = new TextDecoder();

/** Takes one whole event apart, whatever its line ends; a byte order mark before it is passed over. */
export function readEventData(bytes: Uint8Array, start: number, end: number): EventData {
  let event = '';
  const lines: Extent[] = [];
  let at = start;
  if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3;
  while (at < end) {
    let lineEnd = at;
    while (lineEnd < end && bytes[lineEnd] !== LF && bytes[lineEnd] !== CR) lineEnd++;
    if (startsWith(bytes, { start: at, end: lineEnd }, 'data')) lines.push(fieldValue(bytes, at + 4, lineEnd));
    else if (startsWith(bytes, { start: at, end: lineEnd }, 'event')) {
      const value = fieldValue(bytes, at + 5, lineEnd);
      event = decoder.decode(bytes.subarray(value.start, value.end));
    }
    at = lineEnd + (bytes[lineEnd] === CR && bytes[lineEnd + 1] === LF ? 2 : 1);
  }
  const [first, ...others] = lines;
  if (first === undefined) return { event, data: undefined, extent: undefined };
  if (others.length === 0) return { event, data: bytes.subarray(first.start, first.end), extent: first };
  return { event, data: join(bytes, lines), extent: undefined };
}

/** True for a line of the field `name`: the name alone, or the name and a colon. */
function startsWith(bytes: Uint8Array, line: Extent, name: string): boolean {
  const nameEnd = line.start + name.length;
  if (nameEnd > line.end || (nameEnd < line.end && bytes[nameEnd] !== COLON)) return false;
  for (let i = 0; i < name.length; i++) if (bytes[line.start + i] !== name.charCodeAt(i)) return false;
  return true;
}

function fieldValue(bytes: Uint8Array, nameEnd: number, lineEnd: number): Extent {
  let start = Math.min(nameEnd + 1, lineEnd);
  if (start < lineEnd && bytes[start] === SPACE) start++;
  return { start, end: lineEnd };
}

function join(bytes: Uint8Array, lines: readonly Extent[]): Uint8Array {
  const joined = new Uint8Array(lines.reduce((length, line) => length + line.end - line.start + 1, -1));
  let at = 0;
  for (const line of lines) {
    if (at > 0) joined[at++] = LF;
    joined.set(bytes.subarray(line.start, line.end), at);
    at += line.end - line.start;
  }
  return joined;
}

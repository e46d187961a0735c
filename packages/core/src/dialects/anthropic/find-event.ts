import { indexOfLineEnd } from '../../sse/line-ends.ts';

const decoder = new TextDecoder();

/** Where one SSE event stands, and what it says. */
export interface FoundEvent {
  readonly start: number;
  readonly end: number;
  /** The name in the event's own field; empty when it has none. */
  readonly name: string;
  /** The event's type: what its JSON begins with, else its name; empty when only parsing can tell. */
  readonly type: string;
  /** The data, its lines joined by line feeds; empty for an event of comments only. */
  readonly data: string;
  /** Where the data begins; `undefined` when it is spread over several lines. */
  readonly dataStart: number | undefined;
}

/** Takes apart the event `bytes[start, end)`. */
export function findEvent(bytes: Uint8Array, start: number, end: number): FoundEvent {
  let name = '';
  let dataStart: number | undefined;
  const data: string[] = [];
  for (let lineStart = start; lineStart < end;) {
    // A CR LF is seen as a line end and an empty line, which says nothing.
    const lineEnd = indexOfLineEnd(bytes, lineStart, end);
    const line = decoder.decode(bytes.subarray(lineStart, lineEnd));
    if (line.startsWith('data:')) {
      data.push(line.slice('data:'.length));
      dataStart = lineStart + 'data:'.length + (lineStart === start ? byteOrderMarkLength(bytes, start) : 0);
    } else if (line.startsWith('event:')) {
      name = line.slice('event:'.length).trim();
    }
    lineStart = lineEnd + 1;
  }
  const text = data.join('\n');
  return {
    start,
    end,
    name,
    type: /^\s*\{\s*"type"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? name,
    data: text.trim(),
    dataStart: data.length === 1 ? dataStart : undefined,
  };
}

/** Of a stream's first line, which may begin with one; the decoder has taken it off. */
function byteOrderMarkLength(bytes: Uint8Array, at: number): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0;
}

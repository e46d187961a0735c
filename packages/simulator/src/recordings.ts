import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DirectiveError } from './directives.ts';
import type { Piece } from './script.ts';
import { isObject } from './wire/wire.ts';

export interface Recording {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The recorded bytes, cut at the ends of events; put together again they are the file. */
  readonly pieces: readonly Piece[];
  readonly streamed: boolean;
}

const FOLDERS = [
  { folder: '', extension: '.sse' },
  { folder: 'nonstream', extension: '.body' },
  { folder: 'errors', extension: '.body' },
];

/** What matters to whoever reads the answer; lengths and encodings are this connection's own. */
const REPLAYED_HEADERS = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'request-id',
  'x-request-id',
];

/**
 * Reads `<provider>/<name>` from the folder of recordings: `<name>.sse`, `nonstream/<name>.body` or `errors/<name>.body`,
 * with the `.json` beside it for status and headers.
 * @throws DirectiveError when there is no such recording.
 */
export function readRecording(directory: string | undefined, name: string): Recording {
  const parts = /^(?<provider>[\w-]+)\/(?:nonstream\/|errors\/)?(?<file>[\w-][\w.-]*)$/.exec(name)?.groups;
  if (directory === undefined || parts === undefined) throw new DirectiveError(`no recording ${JSON.stringify(name)}`);
  for (const { folder, extension } of FOLDERS) {
    const base = join(directory, parts['provider'] ?? '', folder, parts['file'] ?? '');
    if (!existsSync(base + extension)) continue;
    const streamed = extension === '.sse';
    const facts = readFacts(`${base}.json`);
    const headers: Record<string, string> = {
      'content-type': streamed ? 'text/event-stream; charset=utf-8' : 'application/json',
    };
    for (const header of REPLAYED_HEADERS) {
      const value = facts.headers[header];
      if (typeof value === 'string') headers[header] = value;
    }
    return { status: facts.status, headers, pieces: cutAtEvents(readFileSync(base + extension)), streamed };
  }
  throw new DirectiveError(`no recording ${JSON.stringify(name)}`);
}

function readFacts(path: string): { status: number; headers: Record<string, unknown> } {
  const json: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  if (!isObject(json)) return { status: 200, headers: {} };
  const { status, response_headers: headers } = json;
  return { status: typeof status === 'number' ? status : 200, headers: isObject(headers) ? headers : {} };
}

function cutAtEvents(bytes: Buffer): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  // As Latin-1 every byte is one character, so that offsets in the text are offsets in the bytes.
  for (const blank of bytes.toString('latin1').matchAll(/\n\r?\n|\r\r/g)) {
    const end = blank.index + blank[0].length;
    pieces.push({ kind: 'content', bytes: bytes.subarray(start, end) });
    start = end;
  }
  if (start < bytes.length) pieces.push({ kind: 'content', bytes: bytes.subarray(start) });
  return pieces;
}

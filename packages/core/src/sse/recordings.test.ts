import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSseParser, type SseEvent } from './parse-sse.ts';
import { createEventSplitter } from './split-events.ts';

// Material that lies beside the repository and is not part of it.
const shared = resolve(import.meta.dirname, '../../../../../shared');
const vectorsFile = join(shared, 'sse-vectors.json');
const wire = join(shared, 'wire');

interface Vector {
  readonly name: string;
  readonly bytes_base64: string;
  readonly chunkings: readonly { readonly size?: number; readonly at?: readonly number[] }[];
  readonly expected: {
    readonly events: readonly { event: string; data: string; id: string; retry: number | null }[];
    readonly comments: readonly string[];
    readonly retry: number | null;
    readonly last_event_id: string;
  };
}

interface Recording {
  readonly expected: { readonly sse: { readonly events: number } };
}

function parse(pieces: Iterable<Uint8Array>) {
  const events: SseEvent[] = [];
  const comments: string[] = [];
  let retry: number | undefined;
  const parser = createSseParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
    onRetry: (milliseconds) => (retry = milliseconds),
    // One of the recorded errors repeats its whole request in a single line.
    maxLineBytes: 4 * 1024 * 1024,
  });
  for (const piece of pieces) parser.push(piece);
  parser.end();
  return { events, comments, retry, lastEventId: parser.lastEventId };
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

/** Places every `size` bytes. */
function every(bytes: Uint8Array, size: number): number[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
}

/** About one place in 50 bytes, the same in every run. */
function atRandom(bytes: Uint8Array, seed: number): number[] {
  let state = seed;
  return Array.from({ length: Math.ceil(bytes.length / 50) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % (bytes.length + 1);
  });
}

describe.skipIf(!existsSync(vectorsFile))(`vectors of other parsers' tests (skipped without ${vectorsFile})`, () => {
  const vectors: Vector[] = existsSync(vectorsFile) ? JSON.parse(readFileSync(vectorsFile, 'utf8')) : [];

  test.each(vectors.map((vector) => [vector.name, vector] as const))(
    '%s',
    (_, { bytes_base64, chunkings, expected }) => {
      const bytes = Uint8Array.from(Buffer.from(bytes_base64, 'base64'));
      const wanted = {
        events: expected.events.map((event) => ({ ...event, retry: event.retry ?? undefined })),
        comments: expected.comments.map((text) => (text.startsWith(' ') ? text.slice(1) : text)),
        retry: expected.retry ?? undefined,
        lastEventId: expected.last_event_id,
      };
      const ways = [
        [],
        every(bytes, 1),
        ...chunkings.map(({ size, at }) => at ?? every(bytes, size ?? (bytes.length || 1))),
        ...Array.from({ length: 20 }, (_unused, seed) => atRandom(bytes, seed)),
      ];
      for (const places of ways) expect(parse(cut(bytes, places))).toEqual(wanted);
    },
  );
});

describe.skipIf(!existsSync(wire))(`recorded provider streams (skipped without ${wire})`, () => {
  const files = existsSync(wire) ? globSync('*/*.sse', { cwd: wire }).toSorted() : [];

  test.each(files)('%s', (file) => {
    const bytes = Uint8Array.from(readFileSync(join(wire, file)));
    const { expected }: Recording = JSON.parse(readFileSync(join(wire, file.replace(/sse$/, 'json')), 'utf8'));
    const whole = parse([bytes]);
    expect(whole.events).toHaveLength(expected.sse.events);
    for (const places of [every(bytes, 1), every(bytes, 16_384), atRandom(bytes, 1), atRandom(bytes, 2)]) {
      expect(parse(cut(bytes, places))).toEqual(whole);
    }

    const splitter = createEventSplitter({ maxLineBytes: 4 * 1024 * 1024 });
    const relayed: Uint8Array[] = [];
    for (const chunk of cut(bytes, atRandom(bytes, 3))) relayed.push(splitter.push(chunk).bytes);
    expect(parse(relayed)).toEqual(whole);
    expect(Buffer.concat([...relayed, splitter.rest()]).equals(bytes)).toBe(true);
  });
});

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseParser } from './parse-sse.ts';
import { createEventSplitter } from './split-events.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes cut at these places, in any order and any size. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

const singleBytes = (bytes: Uint8Array) => cut(bytes, [...bytes.keys()]);

function split(chunks: Iterable<Uint8Array>): { events: Uint8Array[]; rest: Uint8Array } {
  const splitter = createEventSplitter();
  const events: Uint8Array[] = [];
  for (const chunk of chunks) {
    const { bytes, ends, count } = splitter.push(chunk);
    for (let index = 0; index < count; index++) {
      events.push(bytes.slice(index === 0 ? 0 : ends[index - 1], ends[index]));
    }
    expect(bytes.length).toBe(count === 0 ? 0 : ends[count - 1]);
  }
  return { events, rest: splitter.rest() };
}

/** The events of these pieces, each piece read by a parser of its own that stands in the middle of a stream. */
function parseEach(pieces: Iterable<Uint8Array>): string[][] {
  return Array.from(pieces, (piece) => {
    const heard: string[] = [];
    const parser = createSseParser({
      onEvent: ({ event, data, retry }) => heard.push(JSON.stringify([event, data, retry])),
    });
    parser.push(encoder.encode('\n'));
    parser.push(piece);
    return heard;
  });
}

describe('borders', () => {
  test.each<[string, string[], string]>([
    ['data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n'], ''],
    ['data: a\r\n\r\nevent: x\r\ndata: b\r\n\r\n', ['data: a\r\n\r\n', 'event: x\r\ndata: b\r\n\r\n'], ''],
    ['data: a\r\rdata: b\r\r', ['data: a\r\r', 'data: b\r\r'], ''],
    ['data: a\r\r\ndata: b\n\r\ndata: c\r\n\n', ['data: a\r\r\n', 'data: b\n\r\n', 'data: c\r\n\n'], ''],
    ['data: a\ndata: b\n', [], 'data: a\ndata: b\n'],
    ['data: a\n\ndata: b', ['data: a\n\n'], 'data: b'],
    ['data: a\n\n\n\ndata: b\n\n', ['data: a\n\n', '\n', '\n', 'data: b\n\n'], ''],
    [': a\n\ndata: b\n\n', [': a\n\n', 'data: b\n\n'], ''],
    ['data: 123456\n\ndata: 1234567\n\n', ['data: 123456\n\n', 'data: 1234567\n\n'], ''],
    ['', [], ''],
  ])('%j', (stream, events, rest) => {
    const result = split([encoder.encode(stream)]);
    expect(result.events.map((event) => decoder.decode(event))).toEqual(events);
    expect(decoder.decode(result.rest)).toBe(rest);
  });

  test('a CR that ends a chunk ends its event at once, and the LF after it goes to the front of the next event', () => {
    const { events, rest } = split([encoder.encode('data: a\r\n\r'), encoder.encode('\ndata: b\r\n\r\n')]);
    expect(events.map((event) => decoder.decode(event))).toEqual(['data: a\r\n\r', '\ndata: b\r\n\r\n']);
    expect(rest).toHaveLength(0);
  });
});

describe('in steps', () => {
  test('a reader that knows where an event ends goes on behind it', () => {
    const splitter = createEventSplitter();
    expect(splitter.open(encoder.encode('data'))).toHaveLength(4);
    expect(splitter.endOfEvent(0)).toBe(-1);
    expect(splitter.open(encoder.encode(': a'))).toHaveLength(0);
    expect(splitter.endOfEvent(0)).toBe(-1);
    expect(decoder.decode(splitter.open(encoder.encode('\n\ndata: b\n\ndata: c\n\ndata')))).toBe(
      'data: a\n\ndata: b\n\ndata: c\n\ndata',
    );
    expect(splitter.endOfEvent(0)).toBe(9);
    expect(splitter.endOfEvent(18)).toBe(27);
    expect(splitter.endOfEvent(27)).toBe(-1);
    expect(decoder.decode(splitter.rest())).toBe('data');
  });
});

describe('copies', () => {
  test('gives out the chunk itself when it starts and ends on event borders', () => {
    const splitter = createEventSplitter();
    for (const text of ['data: a\n\n', 'data: b\n\ndata: c\n\n']) {
      const chunk = encoder.encode(text);
      expect(splitter.push(chunk).bytes).toBe(chunk);
    }
  });

  test('never writes again to bytes that it gave out', () => {
    const splitter = createEventSplitter();
    splitter.push(encoder.encode('data: a'));
    const first = splitter.push(encoder.encode('\n\ndata: b')).bytes;
    const second = splitter.push(encoder.encode('\n\ndata: c')).bytes;
    splitter.push(encoder.encode('cccccccccccccccccccc\n\n'));
    expect([first, second].map((bytes) => decoder.decode(bytes))).toEqual(['data: a\n\n', 'data: b\n\n']);
  });

  test('keeps nothing of a chunk that its owner uses again', () => {
    const splitter = createEventSplitter();
    const chunk = encoder.encode('data: a');
    splitter.push(chunk);
    chunk.fill(0x78);
    expect(decoder.decode(splitter.push(encoder.encode('\n\n')).bytes)).toBe('data: a\n\n');
  });
});

test('pieces joined are the input, and each is read as the one event that it is in the whole stream', () => {
  const part = fc.constantFrom(
    '\n',
    '\n\n',
    '\r',
    '\r\n',
    '\r\n\r\n',
    'data: a',
    'data:é💙',
    'data',
    'event: x',
    ': c',
    'id: 1',
    'retry: 5',
    'x',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), fc.array(fc.nat()), (parts, places) => {
      const bytes = encoder.encode(parts.join(''));
      const { events, rest } = split(cut(bytes, places));
      expect(decoder.decode(Uint8Array.from([...events, rest].flatMap((piece) => [...piece])))).toBe(parts.join(''));

      const heard = parseEach([...events, rest]);
      expect(heard.flat()).toEqual(parseEach([bytes])[0]);
      for (const ofOnePiece of heard) expect(ofOnePiece.length).toBeLessThanOrEqual(1);
      // Nothing whole is held back.
      expect(heard.at(-1)).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

describe('limits', () => {
  const limits = { maxLineBytes: 20, maxEventBytes: 40 };

  function splitUntilError(chunks: Iterable<Uint8Array>): unknown {
    const splitter = createEventSplitter(limits);
    try {
      for (const chunk of chunks) splitter.push(chunk);
    } catch (error) {
      return error;
    }
    return undefined;
  }

  test.each<[string, string, string | undefined]>([
    ['a line of exactly the limit', `${'x'.repeat(20)}\n\n`, undefined],
    ['a line one byte past it', `data: a\n\n${'x'.repeat(21)}\n\n`, 'an SSE line is longer than 20 bytes'],
    [
      'a line past it inside an event',
      `data: a\n${'x'.repeat(21)}\ndata: b\n\n`,
      'an SSE line is longer than 20 bytes',
    ],
    ['an unfinished line past it', 'x'.repeat(21), 'an SSE line is longer than 20 bytes'],
    ['an event of exactly the limit', `data: a\n\n${'x'.repeat(19)}\n${'x'.repeat(18)}\n\n`, undefined],
    [
      'an event one byte past it',
      `data: a\n\n${'x'.repeat(19)}\n${'x'.repeat(19)}\n\n`,
      'an SSE event is longer than 40 bytes',
    ],
    ['many events of allowed size', 'data: 1234567890\n\n'.repeat(20), undefined],
  ])('%s, however cut', (_, stream, message) => {
    const bytes = encoder.encode(stream);
    const expected =
      message === undefined ? undefined : expect.objectContaining({ code: 'upstream_protocol', message });
    expect(splitUntilError([bytes])).toEqual(expected);
    expect(splitUntilError(singleBytes(bytes))).toEqual(expected);
    for (const place of bytes.keys()) expect(splitUntilError(cut(bytes, [place]))).toEqual(expected);
  });

  test('256 MiB without a line end in chunks of 64 KiB is refused at 1 MiB and not kept', () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x78);
    const splitter = createEventSplitter();
    const before = process.memoryUsage().rss;
    let accepted = 0;
    for (let index = 0; index < 4096; index++) {
      try {
        splitter.push(chunk);
        accepted++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'upstream_protocol' });
      }
    }
    expect(accepted).toBe(16);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('endless comment lines without a blank line are refused at 4 MiB', () => {
    const chunk = encoder.encode(`: ${'x'.repeat(1021)}\n`.repeat(64));
    const splitter = createEventSplitter();
    let accepted = 0;
    const flood = () => {
      for (let index = 0; index < 4096; index++, accepted++) splitter.push(chunk);
    };
    expect(flood).toThrow('an SSE event is longer than 4194304 bytes');
    expect(accepted).toBe(64);
  });
});

test('an event of 4 MiB may come in single bytes', () => {
  const line = `: ${'x'.repeat(1021)}\n`;
  const event = encoder.encode(`${line.repeat(4095)}${line.slice(1)}\n`);
  expect(event.length).toBe(4 * 1024 * 1024);
  const splitter = createEventSplitter();
  const byte = new Uint8Array(1);
  let whole: Uint8Array = new Uint8Array(0);
  for (const value of event) {
    byte[0] = value;
    const { bytes, count } = splitter.push(byte);
    if (count > 0) whole = bytes;
  }
  expect(Buffer.compare(whole, event)).toBe(0);
  expect(splitter.rest()).toHaveLength(0);
});

import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOTHING_USED } from '../cost/receipt.ts';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import type { Dialect, EventVerdict, Meter } from '../dialects/dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { GatewayError } from '../errors.ts';
import { createRelay } from './relay.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A meter whose verdict stands in the event itself. */
function createObedientMeter(): Meter {
  return {
    started: true,
    finished: false,
    terminated: false,
    finishReason: undefined,
    usage: undefined,
    error: undefined,
    countedTokens: 0,
    rewritten: encoder.encode('data: other\n\n'),
    read: (bytes, start, end): EventVerdict => {
      const word = decoder.decode(bytes.subarray(start, end)).slice('data: '.length, -2);
      return (['drop', 'rewrite', 'done', 'error'] as const).find((verdict) => verdict === word) ?? 'pass';
    },
  };
}

const OPTIONS = { includeUsage: true, choices: 1, price: () => NOTHING_USED };

function obedient(terminator = ''): Pick<Dialect, 'createMeter' | 'terminator' | 'writeStreamError'> {
  return { createMeter: createObedientMeter, terminator, writeStreamError: () => 'data: failed\n\n' };
}

function relay(...chunks: string[]): { outputs: string[]; end: string } {
  const converter = createRelay(obedient('data: END\n\n'), OPTIONS);
  const outputs = chunks.map((chunk) => text(converter.push(encoder.encode(chunk))));
  return { outputs, end: converter.end(NOTHING_USED) };
}

function text(output: Uint8Array | string): string {
  return typeof output === 'string' ? output : decoder.decode(output);
}

test('a chunk of whole events that all pass is given on itself, not a copy', () => {
  const converter = createRelay(obedient(), OPTIONS);
  const chunk = encoder.encode('data: a\n\ndata: b\n\n');
  expect(converter.push(chunk)).toBe(chunk);
});

test('events that pass are views of the chunk, also where others beside them are dropped', () => {
  const converter = createRelay(obedient(), OPTIONS);
  const chunk = encoder.encode('data: drop\n\ndata: a\n\ndata: drop\n\n');
  const output = converter.push(chunk);
  expect(text(output)).toBe('data: a\n\n');
  expect(typeof output === 'object' && output.buffer).toBe(chunk.buffer);
});

test('an event waits for its end', () => {
  expect(relay('data: a\n\ndata:', ' b\n', '\n').outputs).toEqual(['data: a\n\n', '', 'data: b\n\n']);
});

test('dropped and rewritten events change nothing around them', () => {
  const chunk = 'data: a\n\ndata: drop\n\ndata: b\n\ndata: rewrite\n\ndata: c\n\n';
  expect(relay(chunk).outputs).toEqual(['data: a\n\ndata: b\n\ndata: other\n\ndata: c\n\n']);
});

test("the provider's own terminator is held until the end, and nothing after it goes out", () => {
  expect(relay('data: a\n\ndata: done\n\ndata: b\n\n', 'data: c\n\n')).toEqual({
    outputs: ['data: a\n\n', ''],
    end: 'data: done\n\n',
  });
});

test("without a terminator of the provider's the dialect's own ends the stream", () => {
  expect(relay('data: a\n\n').end).toBe('data: END\n\n');
});

test('what the meter says at the end goes before the terminator, also when the provider sent none', () => {
  for (const last of ['', 'data: [DONE]\n\n']) {
    const converter = createRelay(openaiDialect, { ...OPTIONS, includeUsage: true });
    converter.push(encoder.encode(`data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n${last}`));
    expect(converter.end(NOTHING_USED)).toMatch(/^data: \{.*"usage":\{.*\}\}\n\ndata: \[DONE\]\n\n$/);
  }
});

test('an error event and all after it stay here', () => {
  expect(relay('data: a\n\ndata: error\n\ndata: b\n\n', 'data: c\n\n').outputs).toEqual(['data: a\n\n', '']);
});

test('a line without end is refused', () => {
  const converter = createRelay(obedient(), OPTIONS);
  const push = (): void => {
    for (let i = 0; i < 100; i++) converter.push(new Uint8Array(65_536).fill(0x61));
  };
  expect(push).toThrow(GatewayError);
});

test.each([true, false])(
  'a burst is relayed as its events would be one by one (usage asked for: %s)',
  (includeUsage) => {
    const words = ['Once', ' upon', '', ' ä €', ' \\"usage\\":null', ' time'];
    const events = Array.from(
      { length: 60 },
      (_, i) =>
        `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${words[i % words.length] ?? ''}"},"finish_reason":${
          i % 25 === 24 ? '"stop"' : 'null'
        }}],"usage":null,"obfuscation":"${'x'.repeat(i % 7)}"}\n\n`,
    );
    const converter = () => createRelay(openaiDialect, { includeUsage, choices: 2, price: () => NOTHING_USED });
    const [burst, single] = [converter(), converter()];
    const expected = includeUsage ? events.join('') : events.join('').replaceAll(',"usage":null', '');
    expect(text(burst.push(encoder.encode(events.join(''))))).toBe(expected);
    expect(events.map((event) => text(single.push(Buffer.from(event)))).join('')).toBe(expected);
    expect(burst.facts.countedTokens).toBe(single.facts.countedTokens);
    // 50 of the 60 have a text.
    expect(burst.facts.countedTokens).toBeGreaterThanOrEqual(50);
  },
);

describe.each<[Dialect, readonly string[]]>([
  [openaiDialect, ['text-usage', 'vllm-reasoning', 'parallel-tools', 'error-after-text']],
  [anthropicDialect, ['text', 'thinking', 'tool-use', 'parallel-tools', 'error']],
])('of $name', (dialect, names) => {
  const cases = names.flatMap((name) => [
    { name, includeUsage: true },
    { name, includeUsage: false },
  ]);
  test.each(cases)('$name (usage: $includeUsage) gives the same bytes and facts however it is split', (given) => {
    const stream = new Uint8Array(
      readFileSync(new URL(`../dialects/${dialect.name}/__fixtures__/${given.name}.sse`, import.meta.url)),
    );
    const run = (cuts: readonly number[]) => {
      const options = { includeUsage: given.includeUsage, choices: 1, price: () => NOTHING_USED };
      const converter = createRelay(dialect, options);
      let bytes = '';
      let from = 0;
      for (const cut of [...cuts, stream.length]) {
        bytes += Buffer.from(converter.push(stream.subarray(from, cut))).toString('latin1');
        from = cut;
      }
      const { started, finished, terminated, finishReason, usage, error, countedTokens } = converter.facts;
      const facts = { started, finished, terminated, finishReason, usage, error: error?.code, countedTokens };
      return { bytes, facts, end: converter.end(NOTHING_USED) };
    };
    const whole = run([]);
    expect(whole.facts.started).toBe(true);
    expect(whole.bytes.length).toBeGreaterThan(100);
    expect(run(Array.from(stream.keys()))).toEqual(whole);
    const cuts = fc.uniqueArray(fc.nat(stream.length)).map((list) => list.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(cuts, (at) => {
        expect(run(at)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

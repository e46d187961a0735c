import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../chat/stream-part.ts';
import { NOTHING_USED } from '../cost/receipt.ts';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import type { StreamReader, StreamWriter } from '../dialects/dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { GatewayError } from '../errors.ts';
import { createTranslator } from './translate.ts';

const encoder = new TextEncoder();
const FAILED = new GatewayError('upstream_error', 'The provider failed.');
const STOP: StreamPart = { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'end' } };

const IDENTITY = { requestId: 'req-1', model: 'model-1', created: 1_700_000_000 };
const OPTIONS = { includeUsage: true, choices: 1, price: () => NOTHING_USED };

/** A reader of streams whose events are numbers of parts, and a writer that writes the types of parts. */
function translate(parts: readonly StreamPart[], choices = 1) {
  const reader: StreamReader = {
    read: (_event, data, emit) => {
      const part = parts[Number(data)];
      if (part === undefined) throw new GatewayError('upstream_protocol', 'That is no part.');
      emit(part);
    },
  };
  const writer: StreamWriter = { write: ({ type }) => `${type};`, end: () => 'end;' };
  return createTranslator(
    {
      from: { createStreamReader: () => reader },
      to: { createStreamWriter: () => writer, writeStreamError: () => 'failed;' },
    },
    IDENTITY,
    { ...OPTIONS, choices },
  );
}

function eventsOf(...numbers: number[]): Uint8Array {
  return encoder.encode(numbers.map((number) => `data: ${number}\n\n`).join(''));
}

describe('content has begun', () => {
  test.each<[string, StreamPart, boolean]>([
    ['not with the start', { type: 'start', id: 'x' }, false],
    ['not with an empty text', { type: 'text-delta', choice: 0, text: '' }, false],
    ['not with usage', { type: 'usage', usage: { promptTokens: 1 } }, false],
    ['with a text', { type: 'text-delta', choice: 0, text: 'a' }, true],
    ['with reasoning', { type: 'reasoning-delta', choice: 0, text: 'a' }, true],
    ['with a refusal', { type: 'refusal-delta', choice: 0, text: 'a' }, true],
    ['with a tool call', { type: 'tool-call-delta', choice: 0, index: 0, name: 'f', arguments: '' }, true],
    ['with encrypted reasoning', { type: 'redacted-reasoning', choice: 0, data: 'a' }, true],
    ['with a finish reason', STOP, true],
  ])('%s', (_title, part, started) => {
    const converter = translate([part]);
    converter.push(eventsOf(0));
    expect(converter.facts.started).toBe(started);
  });
});

test('every choice must have its finish reason, each counted once', () => {
  const second: StreamPart = { type: 'finish', choice: 1, reason: { unified: 'length', raw: 'max' } };
  const converter = translate([STOP, second], 2);
  converter.push(eventsOf(0, 0));
  expect(converter.facts.finished).toBe(false);
  converter.push(eventsOf(1));
  expect(converter.facts.finished).toBe(true);
  expect(converter.facts.finishReason).toEqual({ unified: 'stop', raw: 'end' });
});

test('the last usage counts', () => {
  const converter = translate([
    { type: 'usage', usage: { completionTokens: 1 } },
    { type: 'usage', usage: { completionTokens: 5 } },
  ]);
  converter.push(eventsOf(0, 1));
  expect(converter.facts.usage).toEqual({ completionTokens: 5 });
});

test('tokens are counted by events or by UTF-8 bytes over four, whichever are more', () => {
  const converter = translate([
    { type: 'text-delta', choice: 0, text: 'a' },
    { type: 'text-delta', choice: 0, text: '东京东京东京' },
  ]);
  converter.push(eventsOf(0, 0, 0));
  expect(converter.facts.countedTokens).toBe(3);
  converter.push(eventsOf(1));
  // 3 × 1 byte and 6 × 3 bytes are 21, and 21 / 4 rounds up to 6.
  expect(converter.facts.countedTokens).toBe(6);
});

test('parts become events of the caller, an event at a time or many at once', () => {
  const converter = translate([{ type: 'text-delta', choice: 0, text: 'a' }, STOP]);
  expect(converter.push(eventsOf(0, 1))).toBe('text-delta;finish;');
  expect(converter.push(encoder.encode('data: 0\n'))).toBe('');
  expect(converter.push(encoder.encode('\n'))).toBe('text-delta;');
  expect(converter.end(NOTHING_USED)).toBe('end;');
});

test('after the terminator nothing goes out and nothing is noted', () => {
  const converter = translate([{ type: 'done' }, { type: 'text-delta', choice: 0, text: 'a' }]);
  expect(converter.push(eventsOf(0, 1))).toBe('');
  expect(converter.facts).toMatchObject({ terminated: true, started: false, countedTokens: 0 });
});

test('after an error nothing goes out and nothing is noted', () => {
  const converter = translate([{ type: 'error', error: FAILED }, STOP]);
  expect(converter.push(eventsOf(0, 1))).toBe('');
  expect(converter.facts).toMatchObject({ error: FAILED, finished: false });
});

test('what came before an event that cannot be read still goes out', () => {
  const converter = translate([{ type: 'text-delta', choice: 0, text: 'a' }]);
  expect(converter.push(eventsOf(0, 7, 0))).toBe('text-delta;');
  expect(converter.facts.error).toMatchObject({ code: 'upstream_protocol' });
  expect(converter.push(eventsOf(0))).toBe('');
});

test('a mistake of ours is not taken for one of the provider', () => {
  const reader: StreamReader = {
    read: () => {
      throw new TypeError('a mistake');
    },
  };
  const from = { createStreamReader: () => reader };
  const converter = createTranslator({ from, to: openaiDialect }, IDENTITY, OPTIONS);
  expect(() => converter.push(eventsOf(0))).toThrow(TypeError);
});

test.each(['text', 'thinking', 'tool-use', 'parallel-tools', 'error'])(
  "Anthropic's %s gives the same events and facts however it is split",
  (name) => {
    const stream = new Uint8Array(
      readFileSync(new URL(`../dialects/anthropic/__fixtures__/${name}.sse`, import.meta.url)),
    );
    const run = (size: number) => {
      const converter = createTranslator({ from: anthropicDialect, to: openaiDialect }, IDENTITY, OPTIONS);
      let events = '';
      for (let at = 0; at < stream.length; at += size) events += String(converter.push(stream.subarray(at, at + size)));
      const { started, finished, terminated, finishReason, usage, error } = converter.facts;
      return { events, facts: { started, finished, terminated, finishReason, usage, error: error?.code } };
    };
    const whole = run(stream.length);
    expect(whole.events).toContain('"choices"');
    expect(whole.facts.started).toBe(true);
    expect(whole.facts.terminated).toBe(name !== 'error');
    for (const size of [1, 2, 7, 100]) expect(run(size)).toEqual(whole);
  },
);

import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../chat/stream-part.ts';
import { createStreamReader } from './read-stream.ts';

function read(...chunks: unknown[]): StreamPart[] {
  const parts: StreamPart[] = [];
  const reader = createStreamReader();
  for (const chunk of chunks) {
    reader.read('message', typeof chunk === 'string' ? chunk : JSON.stringify(chunk), (part) => parts.push(part));
  }
  return parts;
}

function delta(...deltas: object[]): StreamPart[] {
  return read(...deltas.map((each) => ({ choices: [{ index: 0, delta: each }] }))).slice(1);
}

const call = (members: object) => ({ tool_calls: [members] });

const indexes = (...deltas: object[]) =>
  delta(...deltas).map((part) => (part.type === 'tool-call-delta' ? [part.index, part.id] : part));

test('says once who answers', () => {
  const chunk = { id: 'c', model: 'm', created: 5, choices: [{ index: 0, delta: { content: 'a' } }] };
  expect(read({ choices: [], id: '', created: 0 }, chunk, chunk)).toEqual([
    { type: 'start', id: 'c', model: 'm', created: 5 },
    { type: 'text-delta', choice: 0, text: 'a' },
    { type: 'text-delta', choice: 0, text: 'a' },
  ]);
});

test('reads the terminator, and nothing from an event without data', () => {
  expect(read('[DONE]', '', ' ')).toEqual([{ type: 'done' }]);
});

test('passes over what it does not know', () => {
  expect(read({}, { type: 'ping' }, { choices: null }, { choices: [null, 5, {}] }, { usage: 'x' })).toEqual([
    { type: 'start' },
  ]);
});

test.each(['nothing', '{"choices":[', '[]', '5', '"a"'])('%s is no chunk', (data) => {
  expect(() => read(data)).toThrow(expect.objectContaining({ code: 'upstream_protocol' }));
});

describe('texts', () => {
  test('reasoning comes under several names and counts once', () => {
    expect(delta({ reasoning_content: 'a' }, { reasoning: 'b' }, { reasoning: 'c', reasoning_content: 'c' })).toEqual(
      ['a', 'b', 'c'].map((text) => ({ type: 'reasoning-delta', choice: 0, text })),
    );
  });

  test('content may be a list of parts', () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] };
    expect(delta({ content: [thinking, { type: 'text', text: 'a' }, { type: 'reference' }, null] })).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'hm' },
      { type: 'text-delta', choice: 0, text: 'a' },
    ]);
  });

  test('legacy completions have a text instead of a delta, and a text beside a delta is its copy', () => {
    expect(read({ choices: [{ index: 0, text: 'a' }] }, { choices: [{ text: 'b', delta: { content: 'b' } }] })).toEqual(
      [{ type: 'start' }, { type: 'text-delta', choice: 0, text: 'a' }, { type: 'text-delta', choice: 0, text: 'b' }],
    );
  });

  test('reasoning details give signatures, encrypted pieces, and text where there is no other', () => {
    expect(
      delta(
        { reasoning: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'a' }] },
        { reasoning: null, reasoning_details: [{ type: 'reasoning.text', text: 'b', signature: 's' }] },
        { reasoning_details: [{ type: 'reasoning.encrypted', data: 'd' }, { type: 'new' }, null] },
      ),
    ).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'a' },
      { type: 'reasoning-delta', choice: 0, text: 'b' },
      { type: 'reasoning-signature', choice: 0, signature: 's' },
      { type: 'redacted-reasoning', choice: 0, data: 'd' },
    ]);
  });
});

describe('tool calls are numbered from 0 without gaps', () => {
  test('as the provider numbers them', () => {
    expect(
      indexes(call({ index: 0, id: 'a' }), call({ index: 0 }), call({ index: 1, id: 'b' }), call({ index: 0 })),
    ).toEqual([
      [0, 'a'],
      [0, undefined],
      [1, 'b'],
      [0, undefined],
    ]);
  });

  test('when the provider begins at another number', () => {
    expect(indexes(call({ index: 1, id: 'a' }), call({ index: 3, id: 'b' }), call({ index: 1 }))).toEqual([
      [0, 'a'],
      [1, 'b'],
      [0, undefined],
    ]);
  });

  test('when the provider leaves the numbers out', () => {
    expect(indexes(call({ id: 'a' }), call({}), call({ id: 'b' }), call({}), call({ id: 'a' }))).toEqual([
      [0, 'a'],
      [0, undefined],
      [1, 'b'],
      [1, undefined],
      [0, 'a'],
    ]);
  });

  test('when parallel calls share a number', () => {
    expect(indexes(call({ index: 0, id: 'a' }), call({ index: 0, id: 'b' }), call({ index: 0 }))).toEqual([
      [0, 'a'],
      [1, 'b'],
      [1, undefined],
    ]);
  });

  test('when each delta repeats the id', () => {
    expect(indexes(call({ index: 0, id: 'a' }), call({ index: 0, id: 'a' }))).toEqual([
      [0, 'a'],
      [0, 'a'],
    ]);
  });

  test('and arguments sent as an object become text', () => {
    expect(delta(call({ index: 0, id: 'a', function: { name: 'f', arguments: { b: 1 } } }))).toEqual([
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'a', name: 'f', arguments: '{"b":1}' },
    ]);
  });
});

test('an error beside choices and usage comes last', () => {
  const types = read({
    choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'length' }],
    usage: { prompt_tokens: 1 },
    error: { code: 429 },
  }).map((part) => (part.type === 'error' ? part.error.code : part.type));
  expect(types).toEqual(['start', 'text-delta', 'finish', 'usage', 'upstream_rate_limited']);
});

test.each(['error', 'insufficient_system_resource', 'abort'])('the finish reason %s is an error, not an end', (raw) => {
  const parts = read({ choices: [{ delta: { content: 'a' }, finish_reason: raw }], usage: { completion_tokens: 1 } });
  expect(parts.map(({ type }) => type)).toEqual(['start', 'text-delta', 'usage', 'error']);
});

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['eos', 'stop'],
  ['eos_token', 'stop'],
  ['stop_sequence', 'stop'],
  ['end_turn', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_calls'],
  ['something_new', 'other'],
])('the finish reason %s is %s', (raw, unified) => {
  expect(read({ choices: [{ index: 3, delta: {}, finish_reason: raw }] })).toContainEqual({
    type: 'finish',
    choice: 3,
    reason: { unified, raw },
  });
});

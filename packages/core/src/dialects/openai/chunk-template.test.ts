import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../chat/stream-part.ts';
import { ChunkTemplate } from './chunk-template.ts';
import { createStreamReader } from './read-stream.ts';

/** What one stream says, `start` left out. */
function read(chunks: readonly string[]): StreamPart[] {
  const parts: StreamPart[] = [];
  const reader = createStreamReader();
  for (const chunk of chunks) reader.read('message', chunk, (part) => parts.push(part));
  return parts.filter(({ type }) => type !== 'start');
}

/** The template of a chunk, made with a reader that never saw another. */
const templateOf = (data: string) => ChunkTemplate.of(data, (probe) => read([probe]));

const START = '{"id":"c","created":5,"choices":[{"index":1,"delta":{"content":"';
const END = '"},"finish_reason":null}],"usage":null}';
const textDelta = (text: string) => ({ type: 'text-delta', choice: 1, text });

describe('a chunk like the last one', () => {
  test('says its own text', () => {
    const template = templateOf(`${START}a${END}`);
    expect(template?.read(`${START} time${END}`)).toEqual(textDelta(' time'));
    expect(template?.read(`${START}\\"\\n\\u00e9\\\\${END}`)).toEqual(textDelta('"\né\\'));
  });

  test('may be padded otherwise', () => {
    const padded = (text: string, padding: string) => `${START}${text}"}}],"obfuscation":"${padding}","usage":null}`;
    const template = templateOf(padded('a', 'xyz'));
    expect(template?.read(padded('b', ''))).toEqual(textDelta('b'));
    expect(template?.read(padded('b', 'vwxyz'))).toEqual(textDelta('b'));
    for (const padding of ['\\x', '\t', 'x","usage":{"prompt_tokens":1},"p":"']) {
      expect(template?.read(padded('b', padding))).toBeUndefined();
    }
  });

  test('may be written with spaces', () => {
    const spaced = (text: string) => `{"choices": [{"delta": {"reasoning_content": "${text}"}}]}`;
    expect(templateOf(spaced('a'))?.read(spaced('b'))).toEqual({ type: 'reasoning-delta', choice: 0, text: 'b' });
  });
});

test.each([
  ['another choice', `${START.replace('1', '0')}a${END}`],
  ['a finish reason', `${START}a${END.replace('null', '"stop"')}`],
  ['usage', `${START}a${END.replace('"usage":null', '"usage":{}')}`],
  ['more after the text', `${START}a","refusal":"b${END}`],
  ['another end of the same length', `${START}a${END.replace('null', 'true')}`],
  ['more at the end', `${START}a${END} {}`],
  ['an empty text', `${START}${END}`],
  ['a wrong escape', `${START}\\x${END}`],
  ['a control character', `${START}\t${END}`],
  ['no end', `${START}a`],
])('a chunk with %s is left to parsing', (_, data) => {
  expect(templateOf(`${START}a${END}`)?.read(data)).toBeUndefined();
});

test.each([
  ['without a text', '{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}'],
  ['with usage', '{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}'],
  ['with a finish reason', '{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}'],
  ['with two choices', '{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}'],
  ['with a tool call', '{"choices":[{"delta":{"content":"a","tool_calls":[{"index":0,"id":"t"}]}}]}'],
  [
    'whose content is a tool call argument',
    '{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":{"content":"a"}}}]}}]}',
  ],
  ['with another content that comes first', '{"x":{"content":"a"},"choices":[{"delta":{"content":"b"}}]}'],
  ['with its content twice, of which the last counts', '{"choices":[{"delta":{"content":"a","content":"b"}}]}'],
  ['with its text twice', '{"choices":[{"delta":{"content":"a"},"text":"a"}]}'],
])('a chunk %s is no template', (_, data) => {
  expect(templateOf(data)).toBeUndefined();
});

test('an event called error is one, however much it looks like the last chunk', () => {
  const types: string[] = [];
  const reader = createStreamReader();
  for (const event of ['message', 'message', 'error']) {
    reader.read(event, `${START}a${END}`, ({ type }) => types.push(type));
  }
  expect(types).toEqual(['start', 'text-delta', 'text-delta', 'error']);
});

test('a stream says what its chunks say, in any order of forms', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', '}', ',', '\n', 'a', 'é', '💙', '","content":"') });
  const form = fc.constantFrom<((text: string, padding: string) => object)[]>(
    (content) => ({ choices: [{ index: 0, delta: { content } }] }),
    (content, obfuscation) => ({ choices: [{ index: 0, delta: { content } }], obfuscation }),
    (content, p) => ({ p, choices: [{ index: 0, delta: { content, role: 'assistant' } }] }),
    (content) => ({ choices: [{ index: 0, delta: { content }, text: content }] }),
    (reasoning) => ({ choices: [{ index: 1, delta: { content: '', reasoning } }] }),
    (content, reasoning) => ({ choices: [{ index: 1, delta: { content, reasoning } }] }),
    (content, other) => ({ x: { content: other }, choices: [{ delta: { content } }] }),
    (content) => ({ choices: [{ delta: { content }, finish_reason: 'stop' }] }),
    (content) => ({ choices: [{ delta: { content } }], usage: { completion_tokens: 1 } }),
  );
  const chunk = fc.tuple(form, text, text).map(([toChunk, words, padding]) => JSON.stringify(toChunk(words, padding)));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 30 }), (chunks) => {
      expect(read(chunks)).toEqual(chunks.flatMap((each) => read([each])));
    }),
    { numRuns: 300 },
  );
});

import { expect, test } from 'vitest';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { patchAnswer } from './patch-answer.ts';

const RECEIPT: Receipt = {
  counts: { promptTokens: 1, completionTokens: 2, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: plainCost(300_000n, 900_000n),
  estimated: true,
};
const OURS =
  '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0},"cost":0.0012}';

test.each([
  ['adds the cost', '{"usage":{"total_tokens":3},"id":"x"}', '{"usage":{"total_tokens":3,"cost":0.0012},"id":"x"}'],
  ['adds it to an empty usage', '{"usage": { } }', '{"usage": {"cost":0.0012 } }'],
  ['replaces a number', '{"usage":{"cost":5.37e-06,"a":1}}', '{"usage":{"cost":0.0012,"a":1}}'],
  ['replaces an object', '{"usage":{"cost":{"a":[1,"}"]}}}', '{"usage":{"cost":0.0012}}'],
  ['adds a usage', '{"id":"x" }', `{"id":"x","usage":${OURS} }`],
  ['replaces a usage of null', '{"usage":null,"id":"x"}', `{"usage":${OURS},"id":"x"}`],
  ['adds a usage to nothing', '{}', `{"usage":${OURS}}`],
  [
    'keeps white space, number forms and non-ASCII text',
    '\n  {\n "a": 1.0e2, "text":"Grüße 🎉 \\u00e9 \\"usage\\":{", "usage" : {\t"total_tokens": 3 }\r\n}\n',
    '\n  {\n "a": 1.0e2, "text":"Grüße 🎉 \\u00e9 \\"usage\\":{", "usage" : {\t"total_tokens": 3,"cost":0.0012 }\r\n}\n',
  ],
  [
    'leaves the usage of others alone',
    '{"x_groq":{"usage":{}},"usage":{"n":1}}',
    '{"x_groq":{"usage":{}},"usage":{"n":1,"cost":0.0012}}',
  ],
])('%s', (_, answer, expected) => {
  expect(patchAnswer(answer, RECEIPT)).toBe(expected);
});

test('completes the tool calls of a provider that leaves out their type', () => {
  const quirks = { bareToolCalls: true } as const;
  const usage = '"usage":{"total_tokens":12345678901234567890}';
  const answer = `{"choices":[{"index":0,"message":{"tool_calls":[{"id":"a","function":{}},{"id":"b","function":{}}]}}],${usage}}`;
  const patched = patchAnswer(answer, RECEIPT, quirks);
  expect(JSON.parse(patched).choices[0].message.tool_calls).toEqual([
    { id: 'a', function: {}, index: 0, type: 'function' },
    { id: 'b', function: {}, index: 1, type: 'function' },
  ]);
  expect(patched).toContain('{"total_tokens":12345678901234567890,"cost":0.0012}');
  const plain = '{ "choices": [{"message":{"content":"a"}}], "usage":{"cost":0.0012} }';
  expect(patchAnswer(plain, RECEIPT, quirks)).toBe(plain);
  expect(patchAnswer(answer, RECEIPT)).toBe(answer.replace('890}', '890,"cost":0.0012}'));
});

test('makes texts of content that is a list of texts and thoughts', () => {
  const thinking = '{"type":"thinking","thinking":[{"type":"text","text":"Hm"}],"closed":true}';
  const text = '{"type":"text","text":"Yes"}';
  const answer = `{"choices":[{"message":{"role":"assistant","content":[${thinking},${text},${text}]}}],"usage":{"n":12345678901234567890}}`;
  const patched = patchAnswer(answer, RECEIPT, { contentParts: true });
  expect(JSON.parse(patched).choices).toEqual([
    { message: { role: 'assistant', content: 'YesYes', reasoning_content: 'Hm' } },
  ]);
  expect(patched).toContain('"usage":{"n":12345678901234567890,"cost":0.0012}');
  expect(patchAnswer(answer, RECEIPT)).toBe(answer.replace('890}', '890,"cost":0.0012}'));
  const alone = answer.replace(`${thinking},${text},${text}`, text);
  expect(JSON.parse(patchAnswer(alone, RECEIPT, { contentParts: true })).choices).toEqual([
    { message: { role: 'assistant', content: 'Yes' } },
  ]);
});

test.each([
  ['a text', '{ "reasoning" : "H\\"m\\u00e9" }', '{ "reasoning" : "H\\"m\\u00e9","reasoning_content":"H\\"m\\u00e9" }'],
  ['null', '{"reasoning":null}', undefined],
  ['under both names', '{"reasoning":"a","reasoning_content":"b"}', undefined],
  ['elsewhere', '{"x":{"reasoning":"a"}}', undefined],
])('gives reasoning that is called `reasoning` alone both names, and keeps all else: %s', (_, message, expected) => {
  const quirks = { bareReasoning: true } as const;
  const write = (said: string) => `{"n":1.0,"choices":[ 1, {"message": ${said}}, {}], "usage":{"cost":0.0012}}`;
  expect(patchAnswer(write(message), RECEIPT, quirks)).toBe(write(expected ?? message));
  expect(patchAnswer(write(message), RECEIPT)).toBe(write(message));
  for (const odd of ['{"usage":{"cost":0.0012}}', '{"choices":{"reasoning":"a"},"usage":{"cost":0.0012}}']) {
    expect(patchAnswer(odd, RECEIPT, quirks)).toBe(odd);
  }
});

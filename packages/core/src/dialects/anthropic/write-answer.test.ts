import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { isGatewayError } from '../../errors.ts';
import { patchAnswer } from './patch-answer.ts';
import { readAnswer } from './read-answer.ts';
import { writeAnswer } from './write-answer.ts';

const RECORDINGS = new URL('../../../../../../shared/wire/anthropic/nonstream/', import.meta.url);
const IDENTITY = { requestId: 'r1', model: 'claude', created: 1 };
const RECEIPT: Receipt = {
  counts: { promptTokens: 10, completionTokens: 4, cachedTokens: 3, cacheWriteTokens: 2, reasoningTokens: 1 },
  cost: plainCost(1n, 0n),
  estimated: false,
};
const USAGE =
  '{"input_tokens":5,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":4,"output_tokens_details":{"thinking_tokens":1},"cost":0.000000001}';

const PARTS: StreamPart[] = [
  { type: 'reasoning-delta', choice: 0, text: 'hm' },
  { type: 'reasoning-signature', choice: 0, signature: 's' },
  { type: 'redacted-reasoning', choice: 0, data: 'd' },
  { type: 'text-delta', choice: 0, text: 'Looking.' },
  { type: 'tool-call-delta', choice: 0, index: 0, id: 'a', name: 'now', arguments: '{"n":12345678901234567890}' },
  { type: 'tool-call-delta', choice: 0, index: 1, id: 'b', name: 'here', arguments: '{}' },
  { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'tool_use' } },
];

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isGatewayError(error) ? error.code : 'another error';
  }
  return undefined;
}

describe('writeAnswer', () => {
  it('writes blocks in order, with exact arguments, counts and cost', () => {
    expect(writeAnswer(PARTS, IDENTITY, RECEIPT)).toBe(
      '{"id":"msg_r1","type":"message","role":"assistant","model":"claude","content":[' +
        '{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"Looking."},' +
        '{"type":"tool_use","id":"a","name":"now","input":{"n":12345678901234567890}},{"type":"tool_use","id":"b","name":"here","input":{}}' +
        `],"stop_reason":"tool_use","stop_sequence":null,"usage":${USAGE}}`,
    );
  });

  it('joins the deltas of a text and of each tool call', () => {
    const parts: StreamPart[] = [
      { type: 'text-delta', choice: 0, text: 'a' },
      { type: 'text-delta', choice: 0, text: 'b' },
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'x', name: 'x', arguments: '{"a"' },
      { type: 'tool-call-delta', choice: 0, index: 1, id: 'y', name: 'y', arguments: '' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: ':1}' },
    ];
    expect(JSON.parse(writeAnswer(parts, IDENTITY, RECEIPT)).content).toEqual([
      { type: 'text', text: 'ab' },
      { type: 'tool_use', id: 'x', name: 'x', input: { a: 1 } },
      { type: 'tool_use', id: 'y', name: 'y', input: {} },
    ]);
  });

  it.each([
    [{ unified: 'stop', raw: 'stop' }, 'tool_use'],
    [{ unified: 'stop', raw: 'stop', stopSequence: 'END' }, 'stop_sequence'],
    [{ unified: 'stop', raw: 'pause_turn' }, 'pause_turn'],
    [{ unified: 'length', raw: 'length' }, 'max_tokens'],
  ] as [FinishReason, string][])('takes %j after a tool call for the stop reason %s', (reason, stopReason) => {
    const parts: StreamPart[] = [
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'x', name: 'x', arguments: '{}' },
      { type: 'finish', choice: 0, reason },
    ];
    expect(JSON.parse(writeAnswer(parts, IDENTITY, RECEIPT)).stop_reason).toBe(stopReason);
  });

  it('refuses arguments that are not a JSON object', () => {
    const part: StreamPart = { type: 'tool-call-delta', choice: 0, index: 0, id: 'x', name: 'x', arguments: '{"a"' };
    expect(codeOf(() => writeAnswer([part], IDENTITY, RECEIPT))).toBe('upstream_protocol');
  });

  it('writes what readAnswer reads back as the same parts', () => {
    const parts = PARTS.with(4, {
      type: 'tool-call-delta',
      choice: 0,
      index: 0,
      id: 'a',
      name: 'now',
      arguments: '{"n":[1,2]}',
    });
    expect(readAnswer(JSON.parse(writeAnswer(parts, IDENTITY, RECEIPT)))).toEqual([
      { type: 'start', id: 'msg_r1', model: 'claude' },
      ...parts.slice(0, -1),
      {
        type: 'usage',
        usage: { promptTokens: 10, completionTokens: 4, cachedTokens: 3, cacheWriteTokens: 2, reasoningTokens: 1 },
      },
      parts.at(-1),
    ]);
  });
});

describe('readAnswer', () => {
  it.each([
    {},
    { content: 'text' },
    { content: [5] },
    { content: [{ type: 'text' }] },
    { content: [{ type: 'tool_use', id: 'a' }] },
  ])('refuses %j as upstream_protocol', (answer) => {
    expect(codeOf(() => readAnswer(answer))).toBe('upstream_protocol');
  });

  it('says of which piece of the text a source is', () => {
    const content = [
      { type: 'text', text: 'So far: ' },
      { type: 'text', text: 'one', citations: [{ type: 'web_search_result_location', url: 'a' }] },
    ];
    expect(readAnswer({ type: 'message', content })).toContainEqual({
      type: 'citation',
      choice: 0,
      url: 'a',
      start: 8,
      end: 11,
    });
  });

  it('skips blocks that it does not know', () => {
    expect(readAnswer({ content: [{ type: 'hologram' }, { type: 'text', text: 'a' }] })).toHaveLength(2);
  });

  it('reads an error that came with status 200', () => {
    const error = { type: 'overloaded_error', message: 'x' };
    expect(readAnswer({ type: 'error', error })).toMatchObject([
      { type: 'error', error: { code: 'upstream_unavailable' } },
    ]);
  });
});

describe('patchAnswer', () => {
  it('sets the cost and leaves every other byte', () => {
    const answer =
      '{ "content":[{"text":"\\u00e9 \\"usage\\":{}","big":12345678901234567890}] , "usage" : { "output_tokens":4 } , "x":1}\n';
    expect(patchAnswer(answer, RECEIPT)).toBe(
      answer.replace('"output_tokens":4', '"output_tokens":4,"cost":0.000000001'),
    );
  });

  it('replaces a cost that is there, and gives an answer without usage ours', () => {
    expect(patchAnswer('{"usage":{"cost":5,"a":1}}', RECEIPT)).toBe('{"usage":{"cost":0.000000001,"a":1}}');
    expect(patchAnswer('{"content":[]}', RECEIPT)).toBe(`{"content":[],"usage":${USAGE}}`);
    expect(patchAnswer('{"usage":null}', RECEIPT)).toBe(`{"usage":${USAGE}}`);
  });
});

describe.skipIf(!existsSync(RECORDINGS))('complete answers as recorded (../shared/wire)', () => {
  const names = existsSync(RECORDINGS) ? readdirSync(RECORDINGS).filter((file) => file.endsWith('.body')) : [];

  it.each(names)('makes of %s what is expected of it', (name) => {
    const body = readFileSync(new URL(name, RECORDINGS), 'utf8');
    const { expected } = JSON.parse(readFileSync(new URL(name.replace('.body', '.json'), RECORDINGS), 'utf8'));
    const parts = readAnswer(JSON.parse(body));
    const textOf = (type: 'text-delta' | 'reasoning-delta'): string =>
      parts.map((part) => (part.type === type ? part.text : '')).join('');
    expect(textOf('text-delta')).toBe(expected.text);
    expect(textOf('reasoning-delta')).toBe(expected.reasoning);
    const calls = parts.filter((part) => part.type === 'tool-call-delta');
    expect(calls.map(({ id, name: tool, arguments: json }) => ({ id, name: tool, input: JSON.parse(json) }))).toEqual(
      expected.tool_calls.map((call: { id: string; name: string; input: unknown }) => ({
        id: call.id,
        name: call.name,
        input: call.input,
      })),
    );
    expect(parts.find((part) => part.type === 'finish')?.reason).toMatchObject({
      unified: expected.finish_reason,
      raw: expected.stop_reason,
    });
    const usage = parts.find((part) => part.type === 'usage')?.usage;
    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([
      expected.usage.prompt_tokens,
      expected.usage.completion_tokens,
    ]);
    const patched = JSON.parse(patchAnswer(body, RECEIPT));
    expect(patched.usage.cost).toBe(1e-9);
    delete patched.usage.cost;
    expect(patched).toEqual(JSON.parse(body));
  });
});

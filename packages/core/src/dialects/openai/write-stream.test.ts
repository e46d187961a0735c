import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../chat/stream-part.ts';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { GatewayError } from '../../errors.ts';
import { readParts } from './__fixtures__/accumulate.ts';
import { readAnswer } from './read-answer.ts';
import { writeAnswer } from './write-answer.ts';
import { writeError, writeStreamError } from '../openai-errors/write-error.ts';
import { createStreamWriter } from './write-stream.ts';

const IDENTITY = { requestId: 'req_1', model: 'claude-"4"', created: 1_700_000_000 };
const RECEIPT: Receipt = {
  counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 4, cacheWriteTokens: 3, reasoningTokens: 9 },
  cost: plainCost(1n, 0n),
  estimated: false,
};
const USAGE =
  '{"prompt_tokens":15,"completion_tokens":42,"total_tokens":57,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":9},"cost":0.000000001}';
const HEAD =
  'data: {"id":"chatcmpl-req_1","object":"chat.completion.chunk","created":1700000000,"model":"claude-\\"4\\"","choices":[';

const PARTS: StreamPart[] = [
  { type: 'start', id: 'msg_1', model: 'x', created: 1 },
  { type: 'reasoning-delta', choice: 0, text: 'Hm,' },
  { type: 'reasoning-delta', choice: 0, text: ' so.' },
  { type: 'reasoning-signature', choice: 0, signature: 'sig==' },
  { type: 'redacted-reasoning', choice: 0, data: 'secret==' },
  { type: 'text-delta', choice: 0, text: ' "Grüße"\n\u2028🎉\\' },
  { type: 'refusal-delta', choice: 1, text: 'No.' },
  { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '' },
  { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"a":1}' },
  { type: 'tool-call-delta', choice: 0, index: 1, id: 'c2', name: 'g', arguments: '{}' },
  { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'tool_use' } },
  { type: 'finish', choice: 1, reason: { unified: 'other', raw: 'pause_turn' } },
];

function write(parts: readonly StreamPart[], includeUsage: boolean): string {
  const writer = createStreamWriter(IDENTITY, { includeUsage });
  return parts.map((part) => writer.write(part)).join('') + writer.end(RECEIPT);
}

describe('a stream', () => {
  test('is written in chunks, of which the first of a choice says the role', () => {
    const written = write(
      [
        { type: 'text-delta', choice: 0, text: 'Once' },
        { type: 'text-delta', choice: 0, text: ' upon' },
        { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'end_turn' } },
      ],
      false,
    );
    expect(written).toBe(
      `${HEAD}{"index":0,"delta":{"role":"assistant","content":"Once"},"logprobs":null,"finish_reason":null}]}\n\n` +
        `${HEAD}{"index":0,"delta":{"content":" upon"},"logprobs":null,"finish_reason":null}]}\n\n` +
        `${HEAD}{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}\n\n` +
        'data: [DONE]\n\n',
    );
  });

  test('says the role even when it says nothing else', () => {
    expect(write([{ type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'end_turn' } }], false)).toBe(
      `${HEAD}{"index":0,"delta":{"role":"assistant"},"logprobs":null,"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`,
    );
  });

  test('ends with usage and exact cost for a caller who asked', () => {
    expect(write([], true)).toBe(`${HEAD}],"usage":${USAGE}}\n\ndata: [DONE]\n\n`);
  });

  test('is read back as the parts that were written', () => {
    const read = readParts(new TextEncoder().encode(write(PARTS, true)));
    expect(read).toEqual([
      { type: 'start', id: 'chatcmpl-req_1', model: IDENTITY.model, created: IDENTITY.created },
      ...PARTS.slice(1, -2),
      { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'tool_calls' } },
      { type: 'finish', choice: 1, reason: { unified: 'other', raw: 'pause_turn' } },
      { type: 'usage', usage: RECEIPT.counts },
      { type: 'done' },
    ]);
  });

  test('that failed ends with an error event that no reader takes for a chunk', () => {
    const error = new GatewayError('upstream_disconnected', 'The provider closed the connection.');
    expect(writeStreamError(error, 'req_1')).toBe(
      'data: {"error":{"message":"The provider closed the connection.","type":"upstream_error","code":502,"reason":"upstream_disconnected","request_id":"req_1"},"choices":[{"delta":{},"finish_reason":"error"}]}\n\n',
    );
  });
});

describe('a complete answer', () => {
  test('is written with message, usage and exact cost', () => {
    const written = writeAnswer(PARTS, IDENTITY, RECEIPT);
    expect(written.endsWith(`,"usage":${USAGE}}`)).toBe(true);
    expect(JSON.parse(written)).toMatchObject({
      id: 'chatcmpl-req_1',
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: ' "Grüße"\n\u2028🎉\\',
            refusal: null,
            reasoning_content: 'Hm, so.',
            reasoning_details: [
              { type: 'reasoning.text', text: 'Hm, so.', signature: 'sig==', index: 0 },
              { type: 'reasoning.encrypted', data: 'secret==', index: 1 },
            ],
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
              { id: 'c2', type: 'function', function: { name: 'g', arguments: '{}' } },
            ],
          },
          finish_reason: 'tool_calls',
        },
        { index: 1, message: { content: null, refusal: 'No.' }, finish_reason: 'pause_turn' },
      ],
    });
  });

  test('is read back as its parts', () => {
    expect(readAnswer(JSON.parse(writeAnswer(PARTS, IDENTITY, RECEIPT)))).toEqual([
      { type: 'start', id: 'chatcmpl-req_1', model: IDENTITY.model, created: IDENTITY.created },
      { type: 'reasoning-delta', choice: 0, text: 'Hm, so.' },
      ...PARTS.slice(3, 6),
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '{"a":1}' },
      { type: 'tool-call-delta', choice: 0, index: 1, id: 'c2', name: 'g', arguments: '{}' },
      { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'tool_calls' } },
      { type: 'refusal-delta', choice: 1, text: 'No.' },
      { type: 'finish', choice: 1, reason: { unified: 'other', raw: 'pause_turn' } },
      { type: 'usage', usage: RECEIPT.counts },
    ]);
  });

  test.each([
    [{}, 'upstream_protocol'],
    [{ choices: [] }, 'upstream_protocol'],
    [{ error: { message: 'secret', code: 429 } }, 'upstream_rate_limited'],
    [{ choices: [{ index: 0, message: {}, finish_reason: 'error' }] }, 'upstream_error'],
    [{ choices: [{ message: { content: 'a' }, finish_reason: 'insufficient_system_resource' }] }, 'upstream_error'],
    [{ choices: [{ message: { content: 'a' }, finish_reason: 'abort' }] }, 'upstream_error'],
  ])('%j is none', (body, code) => {
    expect(() => readAnswer(body)).toThrow(expect.objectContaining({ code }));
  });
});

test('an error answer carries status, reason and the parameter', () => {
  const error = new GatewayError('invalid_parameter', 'n must be a whole number from 1 to 8.', { param: 'n' });
  expect(writeError(error, 'req_1')).toEqual({
    error: {
      message: 'n must be a whole number from 1 to 8.',
      type: 'invalid_request_error',
      code: 400,
      reason: 'invalid_parameter',
      param: 'n',
      request_id: 'req_1',
    },
  });
  expect(writeError(new GatewayError('no_upstream', 'None.'), 'r')).not.toHaveProperty('error.param');
});

import { describe, expect, test } from 'vitest';
import { writeFor } from '../../completion/write-for.ts';
import type { JsonObject } from '../../chat/json.ts';
import { createBill } from '../../cost/bill.ts';
import { estimateInput } from '../../cost/estimate-tokens.ts';
import { parsePrice } from '../../cost/parse-price.ts';
import { createAnthropic } from '../../providers/anthropic.ts';
import { staticCredential } from '../../providers/credential.ts';
import { openaiDialect } from '../openai/openai-dialect.ts';
import { embeddingsDialect } from './embeddings-dialect.ts';
import { longestInputTokens } from './longest-input.ts';

const read = (more: JsonObject = {}) => embeddingsDialect.readRequest({ model: 'embed', input: 'Hello', ...more });
const refusal = (body: JsonObject): unknown => {
  try {
    return embeddingsDialect.readRequest(body);
  } catch (error) {
    return error;
  }
};

describe('a request', () => {
  test('has no output in tokens, and passes on as it is but for the model', () => {
    const body = { model: 'embed', input: 'Hello', dimensions: 8, truncate: 'END', user: 'me' };
    const request = embeddingsDialect.readRequest(body);
    expect(request).toMatchObject({ model: 'embed', maxOutputTokens: 0, stream: false, user: 'me', losses: [] });
    expect(embeddingsDialect.patchRequest(request, { model: 'theirs' })).toEqual({ ...body, model: 'theirs' });
  });

  test.each<[string, JsonObject['input'], string[]]>([
    ['a text', 'Hello', ['Hello']],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['tokens', [1, 22], ['[1,22]']],
    ['lists of tokens', [[1], [2, 3]], ['[1]', '[2,3]']],
  ])('of %s', (_title, input, texts) => {
    expect(read({ input }).messages).toEqual([
      { role: 'user', content: texts.map((text) => ({ type: 'text', text })) },
    ]);
  });

  test('is never estimated at fewer tokens than it has', () => {
    const tokens = Array.from({ length: 500 }, (_, index) => index % 10);
    expect(estimateInput(read({ input: tokens })).bound).toBeGreaterThan(tokens.length);
    expect(longestInputTokens(read({ input: ['a', 'x'.repeat(40), 'b'.repeat(8)] }))).toBe(10);
  });

  test.each<[string, JsonObject, string]>([
    ['no model', { input: 'x' }, 'model'],
    ['any model', { model: 'auto', input: 'x' }, 'model'],
    ['no input', { model: 'm' }, 'input'],
    ['an empty text', { model: 'm', input: '' }, 'input'],
    ['no inputs', { model: 'm', input: [] }, 'input'],
    ['an empty text among others', { model: 'm', input: ['a', ''] }, 'input[1]'],
    ['an empty list of tokens', { model: 'm', input: [[1], []] }, 'input[1]'],
    ['text and tokens', { model: 'm', input: ['a', [1]] }, 'input'],
    ['half a token', { model: 'm', input: [1.5] }, 'input'],
    ['an object', { model: 'm', input: [{ image: 'x' }] }, 'input'],
    ['too many inputs', { model: 'm', input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
    ['no dimensions at all', { model: 'm', input: 'x', dimensions: 0 }, 'dimensions'],
    ['another encoding', { model: 'm', input: 'x', encoding_format: 'hex' }, 'encoding_format'],
    ['a stream', { model: 'm', input: 'x', stream: true }, 'stream'],
  ])('with %s is refused', (_title, body, param) => {
    expect(refusal(body)).toMatchObject({ code: 'invalid_parameter', param });
  });

  test('that names a host is refused', () => {
    expect(refusal({ model: 'm', input: 'x', api_base: 'http://x' })).toMatchObject({
      code: 'unknown_parameter',
      param: 'api_base',
    });
  });

  test('is written for no provider that offers no embeddings', () => {
    const provider = createAnthropic({
      id: 'claude',
      baseUrl: new URL('https://claude.test/'),
      credential: staticCredential('key', () => 0),
      timeouts: { firstEventMs: 1, wholeAnswerMs: 1, progressMs: 1 },
      http: { post: () => Promise.reject(new Error('not asked')) },
    });
    const model = { id: 'embed', weight: 1, price: parsePrice({ input: '1', output: '0' }) };
    const candidate = { id: 'embed@claude', model, provider, upstreamModel: 'embed' };
    expect(() => writeFor(candidate, read())).toThrow('The provider claude offers no embeddings.');
  });

  test('is made of no chat', () => {
    const chat = openaiDialect.readRequest({ messages: [{ role: 'user', content: 'Hello' }] });
    expect(() => embeddingsDialect.writeRequest(chat, { model: 'embed' })).toThrow('Use POST /v1/embeddings');
  });
});

describe('an answer', () => {
  const ANSWER = '{"object":"list","data":[{"embedding":[0.10,-2e-3]}],"usage":{"prompt_tokens":7,"total_tokens":7}}';
  const bill = createBill(3, 1);
  // Of embeddings each input has the window for itself.
  const model = { price: parsePrice({ input: '2', output: '0' }), kind: 'embedding' as const, contextWindow: 5 };

  test('tells its usage and keeps its vectors', () => {
    const parts = embeddingsDialect.readAnswer(JSON.parse(ANSWER) as JsonObject);
    expect(parts.map(({ type }) => type)).toEqual(['start', 'usage', 'finish']);
    expect(parts[1]).toMatchObject({ usage: { promptTokens: 7, completionTokens: 0 } });
    const receipt = bill(model, { usage: { promptTokens: 7, completionTokens: 0 }, countedTokens: 0, complete: true });
    expect(receipt.estimated).toBe(false);
    expect(embeddingsDialect.patchAnswer(ANSWER, receipt)).toBe(
      ANSWER.replace('"total_tokens":7', '"total_tokens":7,"cost":0.000014'),
    );
  });

  test('without usage gets our own', () => {
    expect(embeddingsDialect.readAnswer({ data: [], usage: null }).map(({ type }) => type)).toEqual([
      'start',
      'finish',
    ]);
    const receipt = bill(model, { usage: undefined, countedTokens: 0, complete: true });
    expect(receipt.estimated).toBe(true);
    expect(embeddingsDialect.patchAnswer('{"data":[]}', receipt)).toBe(
      '{"data":[],"usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.000006}}',
    );
  });

  test('without vectors is none', () => {
    expect(() => embeddingsDialect.readAnswer({ object: 'list' })).toThrow('without embeddings');
    expect(() => embeddingsDialect.readAnswer({ error: { message: 'rate limit', code: 429 } })).toThrow(
      'limiting the rate',
    );
  });
});

import { describe, expect, test } from 'vitest';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { createAnthropic } from './anthropic.ts';
import { staticCredential } from './credential.ts';
import type { HttpAnswer, HttpRequest } from './http-client.ts';
import { createOpenai } from './openai.ts';
import type { Provider, ProviderOptions } from './provider.ts';
import { createVllm } from './vllm.ts';

const ANSWER: HttpAnswer = {
  status: 200,
  headers: {},
  body: new ReadableStream<Uint8Array>(),
  discard: () => {},
  abort: () => {},
};

type Create = (options: ProviderOptions) => Provider;

const timeouts = { firstEventMs: 7, wholeAnswerMs: 8, progressMs: 9, totalMs: 10 };

async function call(create: Create, options: { baseUrl: string; apiKey?: string }) {
  let sent: HttpRequest | undefined;
  const credential = staticCredential(options.apiKey, () => 0);
  const provider = create({
    id: 'p',
    baseUrl: new URL(options.baseUrl),
    credential,
    timeouts,
    http: {
      post: (request) => {
        sent = request;
        return Promise.resolve(ANSWER);
      },
    },
  });
  const { signal } = new AbortController();
  const secret = await credential.load();
  const answer = await provider.endpoints[0].open({
    secret,
    body: '{"a":1}',
    requestId: 'req-1',
    signal,
    headersTimeoutMs: 5,
  });
  return { provider, credential, answer, sent, signal };
}

const COMMON = {
  'content-type': 'application/json',
  accept: 'text/event-stream, application/json',
  'accept-encoding': 'identity',
  'user-agent': 'tokenhub/0.1',
  'x-request-id': 'req-1',
};

test.each<[string, Create, string, string]>([
  ['OpenAI', createOpenai, 'https://api.openai.com/v1/', 'https://api.openai.com/v1/chat/completions'],
  ['OpenAI behind a path', createOpenai, 'http://10.0.0.5:8000/a/v1/', 'http://10.0.0.5:8000/a/v1/chat/completions'],
  ['vLLM', createVllm, 'http://localhost:8000/v1/', 'http://localhost:8000/v1/chat/completions'],
  ['Anthropic', createAnthropic, 'https://api.anthropic.com/', 'https://api.anthropic.com/v1/messages'],
  ['Anthropic behind a path', createAnthropic, 'https://proxy.test/a/', 'https://proxy.test/a/v1/messages'],
])('%s is asked at its path', async (_title, create, baseUrl, expected) => {
  expect((await call(create, { baseUrl })).sent?.url.href).toBe(expected);
});

describe('the headers are these and no others', () => {
  test('for OpenAI', async () => {
    const { sent } = await call(createOpenai, { baseUrl: 'https://a.test/v1/', apiKey: 'sk-1' });
    expect(sent?.headers).toEqual({ ...COMMON, authorization: 'Bearer sk-1' });
  });

  test('for a vLLM that asks for no key', async () => {
    const { sent } = await call(createVllm, { baseUrl: 'http://a.test/v1/' });
    expect(sent?.headers).toEqual(COMMON);
  });

  test('for Anthropic', async () => {
    const { sent } = await call(createAnthropic, { baseUrl: 'https://a.test/', apiKey: 'sk-2' });
    expect(sent?.headers).toEqual({ ...COMMON, 'x-api-key': 'sk-2', 'anthropic-version': '2023-06-01' });
  });
});

test.each<[string, Create, unknown]>([
  ['OpenAI', createOpenai, openaiDialect],
  ['vLLM', createVllm, openaiDialect],
  ['Anthropic', createAnthropic, anthropicDialect],
])('%s says who it is and passes on the rest of a call as it is', async (_title, create, dialect) => {
  const { provider, credential, answer, sent, signal } = await call(create, { baseUrl: 'https://a.test/' });
  expect(provider).toMatchObject({ id: 'p', timeouts });
  expect(provider.endpoints[0].dialect).toBe(dialect);
  expect(provider.credential).toBe(credential);
  expect(sent).toMatchObject({ body: '{"a":1}', headersTimeoutMs: 5 });
  expect(sent?.signal).toBe(signal);
  expect(answer).toBe(ANSWER);
});

test('each call carries the secret that it was given', async () => {
  const sent: (string | undefined)[] = [];
  const post = ({ headers }: HttpRequest): Promise<HttpAnswer> => {
    sent.push(headers['authorization']);
    return Promise.resolve(ANSWER);
  };
  const credential = staticCredential('unused', () => 0);
  const baseUrl = new URL('https://a.test/');
  const provider = createOpenai({ id: 'p', baseUrl, credential, http: { post }, timeouts });
  const { signal } = new AbortController();
  const [old, fresh] = [{ text: 'old' }, { text: 'fresh' }];
  for (const secret of [old, old, fresh, old]) {
    await provider.endpoints[0].open({ secret, body: '{}', requestId: 'r', signal, headersTimeoutMs: 5 });
  }
  expect(sent).toEqual(['Bearer old', 'Bearer old', 'Bearer fresh', 'Bearer old']);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALL_PROVIDERS, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
});
afterAll(() => hub.close());

it('describes every route it has, and nothing else, in /openapi.json', async () => {
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, object>;
  };
  expect(document.openapi).toMatch(/^3\./);
  expect(Object.keys(document.paths).toSorted()).toEqual(
    [
      '/anthropic/v1/messages',
      '/anthropic/v1/messages/count_tokens',
      '/anthropic/v1/models',
      '/anthropic/v1/models/{id}',
      '/healthz',
      '/metrics',
      '/readyz',
      '/v1/chat',
      '/v1/chat/completions',
      '/v1/embeddings',
      '/v1/generations/{id}',
      '/v1/messages',
      '/v1/messages/count_tokens',
      '/v1/models',
      '/v1/models/{id}',
      '/v1/responses',
      '/v1/route/explain',
    ].toSorted(),
  );
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods) as { summary?: string }[]) expect(operation.summary).not.toBe('');
  }
});

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

it('declares in it each variable of an address, each way to show a key, and the statuses of each route', async () => {
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
    components: { securitySchemes: Record<string, object> };
  };
  expect(document.components.securitySchemes).toEqual({
    bearer: { type: 'http', scheme: 'bearer' },
    'x-api-key': { type: 'apiKey', in: 'header', name: 'x-api-key' },
  });
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, ...operation })),
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { path, parameters, security, requestBody, responses } of operations) {
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect(inPath.every(({ required }) => required)).toBe(true);
    const needsKey = /^\/(?:anthropic\/)?v1\//.test(path);
    expect(security).toEqual(needsKey ? [{ bearer: [] }, { 'x-api-key': [] }] : undefined);
    if (needsKey) expect(responses).toMatchObject({ 401: {}, 429: {}, 503: {} });
    if (requestBody !== undefined) expect(responses).toMatchObject({ 400: {}, 403: {}, 413: {}, 415: {} });
    if (path.includes('{')) expect(responses).toHaveProperty('404');
  }
  const [error] = operations.filter(({ path }) => path === '/v1/messages');
  expect(error?.responses['402']?.content?.['application/json']?.schema).toMatchObject({
    required: ['type', 'error', 'request_id'],
  });
});

it('shows the document as a page at /docs', async () => {
  const response = await fetch(`${hub.url}/docs`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(await response.text()).toContain('swagger-ui');
});

it('tells Prometheus how requests ended', async () => {
  const response = await hub.post('/v1/chat/completions', {
    model: 'gpt-4',
    messages: [{ role: 'user', content: 'Hello [simulate tokens=4 prompt=10]' }],
  });
  await response.text();
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  expect(metrics).toContain(
    'tokenhub_requests_total{surface="chat_completions",model="gpt-4",provider="openai",outcome="completed"} 1',
  );
  expect(metrics).toContain('tokenhub_tokens_total{model="gpt-4",provider="openai",kind="completion"} 4');
  // 10 × 10 and 4 × 30 USD per million.
  expect(metrics).toContain('tokenhub_cost_usd_total{model="gpt-4",provider="openai"} 0.00022');
  expect(metrics).toContain('tokenhub_open_requests 0');
});

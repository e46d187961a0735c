import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from './insist.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

const ROUTES = ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/chat'] as const;
type Route = (typeof ROUTES)[number];

/** What the limits of some keys have beside the same requests and tokens a minute. */
const MORE_LIMITS = { wide: '', few: ', concurrency: 1', poor: ', budget_day_usd: "0.000001"' };
/** Taken in turn, so that no fault of one request is held against the provider of the next. */
const MODELS = Array.from({ length: 80 }, (_, index) => `gpt-${index}`);

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
models:
${MODELS.map((id) => `  - { id: ${id}, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10", output: "30" } }`).join('\n')}
routing: { max_attempts: 1 }
keys:
${Object.entries(MORE_LIMITS)
  .map(([id, more]) => `  - { id: ${id}, key: tokenhub_${id}-0123456789ab, limits: { rpm: 1000, tpm: 100000${more} } }`)
  .join('\n')}
  - { id: team, key: tokenhub_team-0123456789ab, user: ada, team: search, org: acme, limits: { rpm: 1000 } }
teams: { search: { limits: { rpm: 2 } } }
orgs: { acme: { limits: { rpm: 900, tpm: 100000 } } }
`;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

let asked = 0;

interface Ask {
  readonly route?: Route;
  readonly content?: string;
  readonly stream?: boolean;
  readonly maxTokens?: number;
}

function ask(
  key: string,
  { route = '/v1/chat/completions', content = '', stream = false, maxTokens = 10 }: Ask = {},
): Promise<Response> {
  const model = MODELS[asked++ % MODELS.length] ?? '';
  const messages = [{ role: 'user', content: `Hello ${content || '[simulate tokens=4]'}` }];
  const bodies: Readonly<Record<Route, object>> = {
    '/v1/chat/completions': { model, messages, stream, max_tokens: maxTokens },
    '/v1/messages': { model, messages, stream, max_tokens: maxTokens },
    '/v1/responses': { model, input: messages, stream, max_output_tokens: Math.max(maxTokens, 16) },
    '/v1/chat': { request: { model_hint: model, messages, stream, parameters: { max_tokens: maxTokens } } },
  };
  const headers = { authorization: `Bearer tokenhub_${key}-0123456789ab` };
  return insist(() => hub.post(route, bodies[route], { headers }));
}

function expectLimitHeaders({ headers }: Response): void {
  for (const dimension of ['requests', 'tokens'] as const) {
    expect(headers.get(`x-ratelimit-limit-${dimension}`)).toBe(dimension === 'requests' ? '1000' : '100000');
    expect(headers.get(`x-ratelimit-remaining-${dimension}`)).toMatch(/^\d+$/);
    expect(headers.get(`x-ratelimit-reset-${dimension}`)).toMatch(/^\d+ms$/);
    expect(headers.get('ratelimit')).toMatch(new RegExp(`"${dimension}";r=\\d+;t=\\d+`));
  }
  expect(headers.get('ratelimit-policy')).toBe('"requests";q=1000;w=60, "tokens";q=100000;w=60');
}

describe.each(ROUTES)('the limits are told on every answer of %s', (route) => {
  it.each([
    ['a whole answer', 200, 'wide', {}],
    ['a stream', 200, 'wide', { stream: true }],
    ['a stream that breaks', 200, 'wide', { stream: true, content: '[simulate fault=reset]' }],
    ['a request larger than the limit', 429, 'wide', { maxTokens: 100_001 }],
    ['a budget that is used up', 402, 'poor', {}],
    ['a provider that fails', 502, 'wide', { content: '[simulate status=500]' }],
    ['a provider that fails before its stream', 502, 'wide', { content: '[simulate status=500]', stream: true }],
    ['a provider that is at its limit', 429, 'wide', { content: '[simulate status=429 retry-after=1]' }],
    ['a request that its provider refuses', 400, 'wide', { content: '[simulate status=400]' }],
  ] as const)('%s (%i)', async (_case, status, key, options) => {
    const response = await ask(key, { route, ...options });
    await response.text().catch(() => '');
    expect(response.status).toBe(status);
    expectLimitHeaders(response);
  });

  it('a request too many in flight (429)', async () => {
    const first = await ask('few', { route, stream: true, content: '[simulate tokens=10 pace=1000]' });
    const second = await ask('few', { route });
    expect(second.status).toBe(429);
    expectLimitHeaders(second);
    await first.body?.cancel();
    await expect.poll(async () => (await ask('few', { route })).status).toBe(200);
  });
});

describe('of several scopes', () => {
  it('the one with the least left is told, and after a refusal the one that refused, in headers and body', async () => {
    const first = await ask('team');
    await first.text();
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('100000');
    await (await ask('team')).text();
    const before = Date.now();
    const refused = await ask('team');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+, "tokens";r=\d+;t=\d+$/);
    const { error } = (await refused.json()) as { error: { quota: { reset_at: string } } };
    expect(error.quota).toEqual({
      scope: 'team:search',
      dimension: 'requests',
      limit: 2,
      used: 2,
      reserved: 0,
      reset_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const waitMs = Date.parse(error.quota.reset_at) - before;
    expect(waitMs).toBeGreaterThan(50_000);
    expect(waitMs).toBeLessThan(70_000);
  });

  it('a budget that refuses is told in USD, with the end of its day', async () => {
    for (const route of ROUTES) {
      const { error } = (await (await ask('poor', { route })).json()) as { error: object };
      expect(error).toMatchObject({
        quota: {
          scope: 'key:poor',
          dimension: 'day',
          limit: '0.000001',
          used: '0',
          reserved: '0',
          reset_at: expect.stringMatching(/T00:00:00\.000Z$/),
        },
      });
    }
  });
});

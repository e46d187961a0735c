import { connect } from 'node:net';
import type { CostEvent } from '@tokenhub/metering';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Accounting } from '../src/index.ts';
import {
  ADMIN_TOKEN,
  createTestBench,
  sampleEvent,
  spend,
  toReserveRequest,
  type TestBench,
} from './test-accounting.ts';

let bench: TestBench;
let accounting: Accounting;
beforeAll(async () => {
  bench = await createTestBench();
  accounting = await bench.startAccounting();
});
afterAll(() => bench.close());

const get = (path: string, init: RequestInit = {}) =>
  fetch(accounting.url + path, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` }, ...init });
const getJson = async (path: string): Promise<unknown> => (await get(path)).json();
/** A request's row, once it is there. */
const rowOf = (requestId: string) =>
  vi.waitUntil(
    async () => {
      const answer = await get(`/admin/v1/ledger/${requestId}`);
      return answer.ok ? await answer.json() : undefined;
    },
    { timeout: 10_000, interval: 20 },
  );
const spendAndWait = async (changes: Partial<CostEvent>) => {
  const event = await spend(bench.quota, changes);
  await rowOf(event.requestId);
  return event;
};

describe('from settlement to the ledger', () => {
  test('a settled request is a row with the same figures, within 2 seconds', async () => {
    const event = sampleEvent({ requestId: 'req_row' });
    await bench.quota.reserve(toReserveRequest(event));
    await bench.quota.settle({ requestId: 'req_row', org: 'acme', tokens: 57, costNanoUsd: event.costNanoUsd, event });
    const settledAt = Date.now();
    const row = await rowOf('req_row');
    expect(Date.now() - settledAt).toBeLessThan(2000);

    const day = new Date(settledAt).toISOString().slice(0, 10).replaceAll('-', '');
    expect(row).toEqual({
      request_id: 'req_row',
      kind: 'T',
      outcome: 'completed',
      key: 'demo',
      user: 'ada',
      team: null,
      org: 'acme',
      surface: 'chat_completions',
      streamed: true,
      requested_model: 'gpt-4',
      model: 'gpt-4',
      provider: 'openai',
      deployment: 'openai/gpt-4',
      reason: 'routed-weight-8',
      prompt_tokens: 15,
      cached_tokens: 3,
      cache_write_tokens: 2,
      completion_tokens: 42,
      reasoning_tokens: 7,
      cost_usd: '0.0012',
      input_cost_usd: '0.0003',
      output_cost_usd: '0.0009',
      costs: { input: '0.0003', cached: '0', cache_write: '0', output: '0.0009', reasoning: '0' },
      delta_usd: '0.0012',
      estimated: false,
      error_reason: null,
      price_version: 'file',
      first_token_ms: 120,
      duration_ms: 900,
      attempts: [
        {
          deployment: 'openai/gpt-4',
          provider: 'openai',
          model: 'gpt-4',
          outcome: 'served',
          status: 200,
          cost_usd: '0.0012',
        },
      ],
      day,
      month: day.slice(0, 6),
      client_request_id: 'mine-1',
      admitted_at: new Date(event.admittedAt).toISOString(),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      corrections: [],
    });
    // It leaves the outbox a moment after it is in the ledger
    await vi.waitUntil(async () => (await bench.client.xlen('gw:{q0}:out')) === 0, { timeout: 10_000 });
    expect(await bench.client.get('gw:{q0}:wm')).toMatch(/^\d+-\d+$/);
  });

  test('a request that no provider served has null for what is not known', async () => {
    const unknown = {
      user: undefined,
      model: undefined,
      provider: undefined,
      deployment: undefined,
      reason: undefined,
    };
    await spendAndWait({
      ...unknown,
      requestId: 'req_nobody',
      outcome: 'upstream_error',
      errorReason: 'no_upstream',
      costNanoUsd: 0n,
      inputCostNanoUsd: 0n,
      outputCostNanoUsd: 0n,
      attempts: [],
    });
    expect(await rowOf('req_nobody')).toMatchObject({
      user: null,
      requested_model: 'gpt-4',
      model: null,
      provider: null,
      deployment: null,
      reason: null,
      error_reason: 'no_upstream',
      cost_usd: '0',
      attempts: [],
    });
  });

  test('a request whose gateway died is swept into the ledger, and corrected when it comes back', async () => {
    const event = sampleEvent({ requestId: 'req_dead' });
    await bench.quota.reserve(toReserveRequest(event));
    // Its lease has passed
    await bench.client.zadd('gw:{q0}:lease', 1, 'req_dead');
    expect(await rowOf('req_dead')).toMatchObject({
      outcome: 'lease_expired',
      cost_usd: '0.0000001',
      estimated: true,
      key: 'demo',
      corrections: [],
    });
    await bench.quota.settle({ requestId: 'req_dead', org: 'acme', tokens: 57, costNanoUsd: event.costNanoUsd, event });
    await vi.waitUntil(async () => JSON.stringify(await rowOf('req_dead')).includes('"kind":"A"'), { timeout: 10_000 });
    expect(await rowOf('req_dead')).toMatchObject({
      kind: 'T',
      corrections: [{ kind: 'A', outcome: 'completed', cost_usd: '0.0012', delta_usd: '0.0011999' }],
    });
  });

  test('an entry that cannot be read becomes a dead letter and blocks nothing', async () => {
    await bench.client.xadd('gw:{q0}:out', '*', 'kind', 'S', 'event', '{"half');
    await bench.client.xadd('gw:{q0}:out', '*', 'something', 'else');
    await spendAndWait({ requestId: 'req_behind' });
    expect(await bench.client.xlen('gw:{q0}:out')).toBe(0);
    expect(await (await get('/metrics')).text()).toMatch(/^tokenhub_dead_letters_total 2$/m);
  });
});

describe('the ledger', () => {
  beforeAll(async () => {
    for (const number of [1, 2, 3, 4, 5]) {
      await spendAndWait({
        requestId: `req_page_${number}`,
        keyId: 'pages',
        org: 'globex',
        model: number % 2 === 0 ? 'even' : 'odd',
        outcome: number === 5 ? 'timeout' : 'completed',
        costNanoUsd: BigInt(number),
        inputCostNanoUsd: 0n,
        outputCostNanoUsd: BigInt(number),
      });
    }
  });

  test('pages through rows, newest first', async () => {
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = (await getJson(`/admin/v1/ledger?key=pages&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)) as {
        items: { request_id: string }[];
        next_cursor: string | null;
      };
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ request_id: id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1].map((number) => `req_page_${number}`));
  });

  test('tells the team that a request was for, and sums by team', async () => {
    await spendAndWait({ requestId: 'req_team', team: 'search' });
    expect(await rowOf('req_team')).toMatchObject({ user: 'ada', team: 'search', org: 'acme' });
    const { items } = (await getJson('/admin/v1/usage?group_by=team')) as { items: { group: string }[] };
    expect(items.find(({ group }) => group === 'search')).toMatchObject({ requests: 1, cost_usd: '0.0012' });
  });

  test('finds rows by model and outcome', async () => {
    const idsOf = async (query: string) =>
      ((await getJson(`/admin/v1/ledger?key=pages&${query}`)) as { items: { request_id: string }[] }).items.map(
        ({ request_id: id }) => id.at(-1),
      );
    expect(await idsOf('model=even')).toEqual(['4', '2']);
    expect(await idsOf('outcome=timeout')).toEqual(['5']);
    expect(await idsOf('model=even&outcome=timeout')).toEqual([]);
  });

  test('usage is the exact sum', async () => {
    const usage = (await getJson('/admin/v1/usage?group_by=key')) as { items: { group: string }[] };
    expect(usage.items.find(({ group }) => group === 'pages')).toEqual({
      group: 'pages',
      requests: 5,
      prompt_tokens: 75,
      cached_tokens: 15,
      cache_write_tokens: 10,
      completion_tokens: 210,
      reasoning_tokens: 35,
      cost_usd: '0.000000015',
      costs: { input: '0', cached: '0', cache_write: '0', output: '0.000000015', reasoning: '0' },
      adjustments_usd: '0',
    });
    expect(await getJson('/admin/v1/usage?to=20000101')).toEqual({ items: [], next_cursor: null });
    const sinceYesterday = new Date(Date.now() - 86_400_000).toISOString();
    expect(await getJson(`/admin/v1/usage?group_by=org&from=${sinceYesterday}`)).toMatchObject({
      items: [{ group: 'acme' }, { group: 'globex', requests: 5 }],
    });
  });

  test('a day of an answer can be asked for as it is written there', async () => {
    const { items } = (await getJson('/admin/v1/usage')) as { items: { group: string }[] };
    const today = items[0]?.group;
    expect(today).toMatch(/^\d{8}$/);
    expect(await getJson(`/admin/v1/usage?from=${today}`)).toEqual({ items, next_cursor: null });
    expect(await getJson(`/admin/v1/usage?to=${today}`)).toEqual({ items: [], next_cursor: null });
  });

  test('usage is CSV for who asks for it, in the address or by Accept', async () => {
    const figures = '5,75,15,10,210,35,0.000000015,0,0,0,0.000000015,0,0';
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const answers = [
      await get('/admin/v1/usage?group_by=key&format=csv'),
      await get('/admin/v1/usage?group_by=key', { headers: { authorization, accept: 'text/csv, */*;q=0.1' } }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="usage-by-key.csv"');
      expect((await answer.text()).split('\r\n')).toContain(`pages,${figures}`);
    }
    for (const [path, accept] of [
      ['/admin/v1/usage?format=json', 'text/csv'],
      ['/admin/v1/usage', 'application/json, text/csv;q=0.5'],
      ['/admin/v1/usage', '*/*'],
    ] as const) {
      const answer = await get(path, { headers: { authorization, accept } });
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('vary')).toBe('Accept');
    }
  });

  test.each([
    ['ledger?limit=0', 'limit'],
    ['ledger?limit=501', 'limit'],
    ['ledger?limit=ten', 'limit'],
    ['ledger?limit=5&limit=6', 'limit'],
    ['ledger?cursor=abc', 'cursor'],
    ['ledger?key=', 'key'],
    ['ledger?outcome=foo', 'outcome'],
    ['usage?group_by=colour', 'group_by'],
    ['usage?format=xml', 'format'],
    ['usage?format=csv&format=json', 'format'],
    ['usage?from=yesterday', 'from'],
    ['usage?to=2026-02-30', 'to'],
    ['usage?to=20260230', 'to'],
    ['usage?to=202611', 'to'],
    ['quotas/nobody', 'scope'],
    ['quotas/key:', 'scope'],
  ])('%s is refused by name', async (path, param) => {
    const answer = await get(`/admin/v1/${path}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: {
        code: 400,
        reason: 'invalid_parameter',
        type: 'invalid_request_error',
        param,
        message: expect.stringContaining(param),
      },
    });
  });

  test('an unknown parameter is refused by name', async () => {
    const answer = await get('/admin/v1/ledger?colour=red');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { reason: 'unknown_parameter', param: 'colour' } });
  });
});

describe('quotas', () => {
  test('show limits and use of a key and of its organisation', async () => {
    await bench.client.del('gw:{q0}:s:key:demo', 'gw:{q0}:s:org:acme');
    await spend(bench.quota, { requestId: 'req_quota_1' });
    await bench.quota.reserve(toReserveRequest(sampleEvent({ requestId: 'req_quota_2' })));
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    expect(await getJson('/admin/v1/quotas/key:demo')).toEqual({
      scope: 'key:demo',
      limits_known: true,
      requests: { limit: 60, used: 2 },
      tokens: { limit: 100_000, used: 1057 },
      concurrency: { limit: 10, used: 1 },
      day: { period: day, limit_usd: '5', settled_usd: '0.0012', held_usd: '0.005' },
      month: { period: day.slice(0, 6), limit_usd: '50', settled_usd: '0.0012', held_usd: '0.005' },
    });
    expect(await getJson('/admin/v1/quotas/org%3Aacme')).toMatchObject({
      requests: { limit: null, used: 2 },
      day: { limit_usd: null, settled_usd: '0.0012' },
      month: { limit_usd: '500' },
    });
    expect(await getJson('/admin/v1/quotas/user:ada')).toMatchObject({ requests: { limit: null, used: 0 } });
    await bench.quota.settle({
      requestId: 'req_quota_2',
      org: 'acme',
      tokens: 0,
      costNanoUsd: 0n,
      event: sampleEvent({ requestId: 'req_quota_2', costNanoUsd: 0n }),
    });
  });

  test('without a configuration, what is not known of limits is not shown as none', async () => {
    const own = await createTestBench();
    try {
      const { url } = await own.startAccounting({ config: undefined });
      const ask = async (path: string, body?: object) => {
        const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
        const post = body && { method: 'POST', body: JSON.stringify(body) };
        return (await fetch(`${url}/admin/v1/${path}`, { headers, ...post })).json();
      };
      await ask('keys', { id: 'made', limits: { rpm: 7 }, team: 'search' });
      expect(await ask('quotas/key:made')).toMatchObject({ limits_known: true, requests: { limit: 7 } });
      for (const scope of ['team:search', 'key:demo', 'org:acme']) {
        expect(await ask(`quotas/${scope}`)).toMatchObject({ scope, limits_known: false, requests: { limit: null } });
      }
    } finally {
      await own.close();
    }
  });

  test.each(['key:nobody', 'user:nobody', 'team:nobody', 'org:nobody'])('%s is not found', async (scope) => {
    const answer = await get(`/admin/v1/quotas/${scope}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { reason: 'not_found' } });
  });
});

describe('who may ask', () => {
  test.each([
    ['no token', {}, 401, 'missing_api_key'],
    ['an empty token', { authorization: 'Bearer ' }, 401, 'missing_api_key'],
    ['basic credentials', { authorization: 'Basic YTpi' }, 401, 'missing_api_key'],
    ['a wrong token', { authorization: 'Bearer wrong' }, 401, 'invalid_api_key'],
    ['a token that goes on', { authorization: `Bearer ${ADMIN_TOKEN}x` }, 401, 'invalid_api_key'],
    ['a generated key of the gateway', { authorization: 'Bearer tokenhub_abc' }, 403, 'forbidden'],
    ['a configured key of the gateway', { 'x-api-key': 'a-plain-key-of-the-configuration' }, 403, 'forbidden'],
  ])('with %s nothing is answered', async (_, headers: Record<string, string>, status, reason) => {
    for (const path of [
      '/admin/v1/ledger',
      '/admin/v1/usage',
      '/admin/v1/quotas/key:demo',
      '/admin/v1/nothing',
      '/ADMIN/v1',
      '//admin/v1/ledger',
    ]) {
      const answer = await get(path, { headers });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
      const body: unknown = await answer.json();
      expect(body).toMatchObject({ error: { code: status, reason, request_id: answer.headers.get('x-request-id') } });
      expect(JSON.stringify(body)).not.toContain(ADMIN_TOKEN);
    }
  });

  test('health and metrics need no token', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) expect((await get(path, { headers: {} })).status).toBe(200);
  });
});

describe('everything else', () => {
  test('unknown addresses are 404 and unknown methods 405, in the one shape', async () => {
    const missing = await get('/admin/v1/nothing');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toEqual({
      error: {
        message: 'There is nothing at this address.',
        type: 'not_found_error',
        code: 404,
        reason: 'not_found',
        request_id: missing.headers.get('x-request-id'),
      },
    });
    const wrong = await get('/admin/v1/ledger/req_1', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toContain('GET');
    expect(await wrong.json()).toMatchObject({ error: { code: 405, reason: 'method_not_allowed' } });
    expect((await get('/admin/v1/ledger/req_none')).status).toBe(404);
    const undecodable = await get('/admin/v1/ledger/%zz');
    expect(undecodable.status).toBe(404);
    expect(await undecodable.json()).toMatchObject({ error: { reason: 'not_found', code: 404 } });
  });

  test('a body that is not JSON is no fault of ours', async () => {
    const answer = await get('/admin/v1/ledger', {
      method: 'POST',
      body: '{',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { reason: 'invalid_json' } });
  });

  test('what is not HTTP gets the one shape too', async () => {
    const { hostname, port } = new URL(accounting.url);
    const socket = connect(Number(port), hostname);
    socket.setEncoding('utf8').end('GARBAGE\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({
      error: { reason: 'malformed_request', code: 400 },
    });
  });

  test('counts what was drained, how late, and what waits', async () => {
    await spendAndWait({ requestId: 'req_metrics' });
    const text = await (await get('/metrics')).text();
    expect(Number(/^tokenhub_drained_events_total (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(text).toMatch(/^tokenhub_outbox_events 0$/m);
    expect(Number(/^tokenhub_drain_lag_seconds_count (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  });
});

test('is not ready while Redis is away, and can be closed all the same', async () => {
  const own = await createTestBench();
  try {
    const orphan = await own.startAccounting();
    const { url } = orphan;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await own.redis.stop();
    await vi.waitUntil(async () => (await fetch(`${url}/readyz`)).status === 503, { timeout: 5000 });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      status: 'not_ready',
      checks: { redis: false, ledger: true },
    });
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    const quotas = await fetch(`${url}/admin/v1/quotas/key:demo`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(quotas.status).toBe(503);
    const body: unknown = await quotas.json();
    expect(body).toMatchObject({ error: { reason: 'quota_unavailable' } });
    expect(JSON.stringify(body)).not.toContain('redis.sock');
    await orphan.close();
  } finally {
    await own.close();
  }
});

test('works on the embedded Redis too', async () => {
  const own = await createTestBench({ embedded: true });
  try {
    const { url } = await own.startAccounting();
    await spend(own.quota, { requestId: 'req_embedded' });
    await vi.waitUntil(
      async () =>
        (await fetch(`${url}/admin/v1/ledger/req_embedded`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }))
          .ok,
      { timeout: 10_000 },
    );
  } finally {
    await own.close();
  }
});

import { hashApiKey, hasValidChecksum } from '@tokenhub/config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Accounting } from '../src/index.ts';
import { ADMIN_TOKEN, createTestBench, KEY_PEPPER, type TestBench } from './test-accounting.ts';

let bench: TestBench;
let accounting: Accounting;
beforeAll(async () => {
  bench = await createTestBench();
  accounting = await bench.startAccounting();
});
afterAll(() => bench.close());

interface Item extends Record<string, unknown> {
  readonly id: string;
  readonly key: string;
}

async function ask(method: string, path: string, body?: unknown, token = ADMIN_TOKEN) {
  const response = await fetch(`${accounting.url}/admin/v1/keys${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    headers: response.headers,
    item: (text === '' ? {} : JSON.parse(text)) as Item,
  };
}
const make = async (fields: object = {}): Promise<Item> => {
  const { status, item } = await ask('POST', '', fields);
  expect(status).toBe(201);
  return item;
};
const refusal = (answer: { status: number; item: Item }) => {
  const error = answer.item['error'] as Record<string, unknown>;
  return { status: answer.status, reason: error['reason'] ?? error['code'], param: error['param'] ?? null };
};

describe('making a key', () => {
  test('answers 201 with the secret and what the key may do', async () => {
    const answer = await ask('POST', '', {
      id: 'team-a',
      name: 'Team A',
      scopes: ['chat'],
      models: ['gpt-4'],
      limits: { rpm: 5, budget_day_usd: '1.50' },
      user: 'ada',
      team: 'search',
      org: 'acme',
      expires_at: '2030-01-31T01:00:00+01:00',
      heartbeat: false,
      long_answers: 'cut',
      without_quota_store: 'serve',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.item).toEqual({
      id: 'team-a',
      key: expect.stringMatching(/^tokenhub_[0-9A-Za-z]{49}$/),
      name: 'Team A',
      static: false,
      scopes: ['chat'],
      models: ['gpt-4'],
      limits: { rpm: 5, tpm: null, concurrency: null, budget_day_usd: '1.5', budget_month_usd: null },
      user: 'ada',
      team: 'search',
      org: 'acme',
      expires_at: '2030-01-31T00:00:00.000Z',
      stream_format: null,
      heartbeat: false,
      long_answers: 'cut',
      without_quota_store: 'serve',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      rotated_at: null,
      rehashed_at: null,
      revoked_at: null,
    });
    expect(hasValidChecksum(answer.item.key)).toBe(true);
  });

  test('takes nothing but defaults, and makes an id', async () => {
    const key = await make();
    expect(key).toMatchObject({ scopes: ['chat', 'plan'], models: ['*'], org: 'default', user: null, team: null });
    expect(key).toMatchObject({ heartbeat: true, long_answers: 'finish', without_quota_store: 'refuse' });
    expect(key.id).toMatch(/^key_/);
  });

  test('an id that is taken is refused with 409, whoever has it', async () => {
    await make({ id: 'taken' });
    expect(refusal(await ask('POST', '', { id: 'taken' }))).toEqual({ status: 409, reason: 'conflict', param: 'id' });
    await ask('DELETE', '/taken');
    expect(refusal(await ask('POST', '', { id: 'taken' })).status).toBe(409);
    const asStatic = await ask('POST', '', { id: 'demo' });
    expect(refusal(asStatic)).toEqual({ status: 409, reason: 'conflict', param: 'id' });
    expect(asStatic.text).toContain('static key');
  });

  test.each([
    [{ color: 'red' }, 'unknown_parameter', 'color'],
    [{ role: 'admin' }, 'unknown_parameter', 'role'],
    [{ key: 'tokenhub_my-own-secret-0123' }, 'unknown_parameter', 'key'],
    [{ key_hash: 'a'.repeat(64) }, 'unknown_parameter', 'key_hash'],
    [{ revokedAt: null }, 'unknown_parameter', 'revokedAt'],
    [{ limits: { rps: 1 } }, 'unknown_parameter', 'limits.rps'],
    [{ limits: { rpm: 0 } }, 'invalid_parameter', 'limits.rpm'],
    [{ limits: { rpm: 'many' } }, 'invalid_parameter', 'limits.rpm'],
    [{ limits: { budget_day_usd: 5 } }, 'invalid_parameter', 'limits.budget_day_usd'],
    [{ limits: { budget_day_usd: '-1' } }, 'invalid_parameter', 'limits.budget_day_usd'],
    [{ limits: null }, 'invalid_parameter', 'limits'],
    [{ limits: { rpm: null } }, 'invalid_parameter', 'limits.rpm'],
    [{ id: 'a b' }, 'invalid_parameter', 'id'],
    [{ id: 7 }, 'invalid_parameter', 'id'],
    [{ name: 'x'.repeat(201) }, 'invalid_parameter', 'name'],
    [{ scopes: [] }, 'invalid_parameter', 'scopes'],
    [{ scopes: ['admin'] }, 'invalid_parameter', 'scopes[0]'],
    [{ models: ['gpt-4', 'gpt-9'] }, 'invalid_parameter', 'models[1]'],
    [{ models: ['no such'] }, 'invalid_parameter', 'models[0]'],
    [{ expires_at: 'tomorrow' }, 'invalid_parameter', 'expires_at'],
    [{ stream_format: 'xml' }, 'invalid_parameter', 'stream_format'],
    [{ heartbeat: 'maybe' }, 'invalid_parameter', 'heartbeat'],
    [{ team: 'a b' }, 'invalid_parameter', 'team'],
    [{ long_answers: 'never' }, 'invalid_parameter', 'long_answers'],
    [{ without_quota_store: true }, 'invalid_parameter', 'without_quota_store'],
    ['[]', 'invalid_request', null],
    ['"x"', 'invalid_request', null],
    ['{', 'invalid_json', null],
    ['{"__proto__": {"scopes": ["chat"]}}', 'invalid_json', null],
  ])('%j is refused with 400 and the name of the field', async (body, reason, param) => {
    const before = (await ask('GET', '?limit=500')).text;
    const answer = await ask('POST', '', body);
    expect(refusal(answer)).toEqual({ status: 400, reason, param });
    expect((await ask('GET', '?limit=500')).text).toBe(before);
  });

  test('all mistakes of a body are told at once, the first one as the parameter', async () => {
    const answer = await ask('POST', '', { scopes: ['admin'], limits: { rpm: 0, rps: 1 }, color: 'red' });
    expect(refusal(answer)).toEqual({ status: 400, reason: 'invalid_parameter', param: 'scopes[0]' });
    for (const path of [
      'scopes[0] must be one of',
      'limits.rpm must be at least',
      'limits.rps is',
      'color is no field',
    ])
      expect(answer.item).toMatchObject({ error: { message: expect.stringContaining(path) } });
  });

  test('fields that nobody knows never change what a key may do (A8)', async () => {
    const key = await make({ id: 'plain', scopes: ['chat'], limits: { rpm: 3 } });
    for (let index = 0; index < 100; index++) {
      const field = `x${index}${['role', 'isAdmin', 'orgs', 'constructor', 'version', 'static'][index % 6]}`;
      const body = { scopes: ['plan'], limits: { rpm: 999 }, [field]: true };
      expect(refusal(await ask('PATCH', '/plain', body)).reason).toBe('unknown_parameter');
      expect(refusal(await ask('POST', '', body)).reason).toBe('unknown_parameter');
    }
    const { key: _, ...item } = key;
    expect((await ask('GET', '/plain')).item).toEqual(item);
  });
});

describe('changing a key', () => {
  test('replaces the fields that are given, and null takes one back to its default', async () => {
    await make({ id: 'changing', name: 'Old', limits: { rpm: 5, tpm: 100 }, user: 'ada', scopes: ['chat'] });
    const changed = await ask('PATCH', '/changing', { name: 'New', limits: { rpm: 7 }, user: null, scopes: null });
    expect(changed.status).toBe(200);
    expect(changed.item).toMatchObject({ name: 'New', user: null, scopes: ['chat', 'plan'] });
    expect(changed.item['limits']).toMatchObject({ rpm: 7, tpm: 100 });
    expect((await ask('GET', '/changing')).item).toEqual(changed.item);
    expect(changed.item).not.toHaveProperty('key');
    expect((await ask('PATCH', '/changing', { name: null })).item).toMatchObject({ name: null, limits: { rpm: 7 } });
  });

  test('a change of one limit leaves the others, and null takes one away, or all', async () => {
    await make({ id: 'limits', limits: { rpm: 5, budget_month_usd: '50' } });
    const limitsAfter = async (limits: object | null) => (await ask('PATCH', '/limits', { limits })).item['limits'];
    const none = { rpm: null, tpm: null, concurrency: null, budget_day_usd: null, budget_month_usd: null };
    expect(await limitsAfter({ rpm: 3 })).toEqual({ ...none, rpm: 3, budget_month_usd: '50' });
    expect(await limitsAfter({ rpm: null, tpm: 9 })).toEqual({ ...none, tpm: 9, budget_month_usd: '50' });
    expect(await limitsAfter(null)).toEqual(none);
    expect(await limitsAfter({ rpm: 4 })).toEqual({ ...none, rpm: 4 });
    expect((await ask('GET', '/limits')).item['limits']).toEqual({ ...none, rpm: 4 });
  });

  test.each([
    [{ id: 'other' }, 'unknown_parameter', 'id'],
    [{ id: null }, 'unknown_parameter', 'id'],
    [{ mac: null }, 'unknown_parameter', 'mac'],
    [{ toString: null }, 'unknown_parameter', 'toString'],
    [{ models: ['gpt-9'] }, 'invalid_parameter', 'models[0]'],
    [{ limits: { rpm: 0 } }, 'invalid_parameter', 'limits.rpm'],
    [{ limits: { rps: null } }, 'unknown_parameter', 'limits.rps'],
    ['null', 'invalid_request', null],
  ])('%j is refused with 400', async (body, reason, param) => {
    const { id } = await make();
    expect(refusal(await ask('PATCH', `/${id}`, body))).toEqual({ status: 400, reason, param });
  });

  test('a new secret takes the place of the old one', async () => {
    const { key } = await make({ id: 'rotating' });
    const rotated = await ask('POST', '/rotating/rotate');
    expect(rotated.status).toBe(200);
    expect(rotated.headers.get('cache-control')).toBe('no-store');
    expect(rotated.item).toMatchObject({ id: 'rotating', key: expect.stringMatching(/^tokenhub_/), static: false });
    expect(rotated.item.key).not.toBe(key);
    expect(rotated.item['rotated_at']).toMatch(/Z$/);
  });

  test('a revoked key is shown as such, can be revoked again, and nothing else', async () => {
    await make({ id: 'ending' });
    const revoked = await ask('DELETE', '/ending');
    expect([revoked.status, revoked.text]).toEqual([204, '']);
    expect((await ask('GET', '/ending')).item['revoked_at']).toMatch(/Z$/);
    expect((await ask('DELETE', '/ending')).status).toBe(204);
    expect(refusal(await ask('PATCH', '/ending', { name: 'x' }))).toMatchObject({ status: 409, reason: 'conflict' });
    expect(refusal(await ask('POST', '/ending/rotate'))).toMatchObject({ status: 409, reason: 'conflict' });
  });

  test('an id that nobody has is 404', async () => {
    const answers = [
      await ask('GET', '/nobody'),
      await ask('PATCH', '/nobody', { name: 'x' }),
      await ask('POST', '/nobody/rotate'),
      await ask('DELETE', '/nobody'),
    ];
    for (const answer of answers) expect(refusal(answer)).toMatchObject({ status: 404, reason: 'not_found' });
  });

  test('a static key can be seen; to change it the answer says where', async () => {
    expect((await ask('GET', '/demo')).item).toMatchObject({ id: 'demo', static: true, created_at: null, org: 'acme' });
    const answers = [
      await ask('PATCH', '/demo', { name: 'x' }),
      await ask('POST', '/demo/rotate'),
      await ask('DELETE', '/demo'),
    ];
    for (const answer of answers) {
      expect(refusal(answer)).toMatchObject({ status: 400, reason: 'invalid_request' });
      expect(answer.text).toContain('configuration file');
    }
  });
});

describe('listing keys', () => {
  test('newest first, the static ones last, page by page', async () => {
    const ids = [];
    for (let count = 0; count < 3; count++) ids.unshift((await make()).id);
    const all = (await ask('GET', '?limit=500')).item as unknown as { items: Item[]; next_cursor: null };
    expect(all.next_cursor).toBeNull();
    expect(all.items.slice(0, 3).map(({ id }) => id)).toEqual(ids);
    expect(all.items.at(-1)).toMatchObject({ id: 'demo', static: true });

    const paged: Item[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page = (await ask('GET', path)).item as unknown as { items: Item[]; next_cursor: string | null };
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(paged).toEqual(all.items);
  });

  test('refuses queries that it does not know', async () => {
    expect(refusal(await ask('GET', '?cursor=x'))).toMatchObject({ reason: 'invalid_parameter', param: 'cursor' });
    expect(refusal(await ask('GET', '?limit=0'))).toMatchObject({ reason: 'invalid_parameter', param: 'limit' });
    expect(refusal(await ask('GET', '?page=1'))).toMatchObject({ reason: 'unknown_parameter', param: 'page' });
  });
});

test('no secret and no hash is in any answer but the first, nor any secret in Redis', async () => {
  const made = await make({ id: 'canary', name: 'canary' });
  const rotated = (await ask('POST', '/canary/rotate')).item;
  const answers = [
    await ask('GET', '?limit=500'),
    await ask('GET', '/canary'),
    await ask('PATCH', '/canary', { name: 'bird' }),
    await ask('POST', '', { id: 'canary' }),
  ];
  for (const { text } of answers) {
    expect(text).not.toContain('tokenhub_');
    expect(text).not.toMatch(/[0-9a-f]{64}/);
    expect(text).not.toContain('a-plain-key-of-the-configuration');
  }
  const dump = await dumpOf(bench);
  expect(dump).toContain(hashApiKey(rotated.key, KEY_PEPPER));
  for (const { key } of [made, rotated]) expect(dump).not.toContain(key.slice('tokenhub_'.length, -6));
});

async function dumpOf({ client }: TestBench): Promise<string> {
  const parts: unknown[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    if (type === 'hash') parts.push(await client.hgetall(key));
    else if (type === 'list') parts.push(await client.lrange(key, 0, -1));
    else if (type === 'string') parts.push(await client.get(key));
    else if (type === 'zset') parts.push(await client.zrange(key, '0', '-1'));
    else if (type === 'set') parts.push(await client.smembers(key));
    else if (type === 'stream') parts.push(await client.xrange(key, '-', '+'));
    else throw new Error(`${key} is a ${type}`);
  }
  return JSON.stringify(parts);
}

test('nobody gets in without the admin token; a key of the gateway gets 403 (A7)', async () => {
  const { id, key } = await make();
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['POST', '', {}],
    ['GET', `/${id}`, undefined],
    ['PATCH', `/${id}`, { limits: { rpm: 1000 } }],
    ['POST', `/${id}/rotate`, undefined],
    ['DELETE', `/${id}`, undefined],
  ] as const) {
    expect(refusal(await ask(method, path, body, key))).toMatchObject({ status: 403, reason: 'forbidden' });
    expect(refusal(await ask(method, path, body, 'a-wrong-admin-token')).status).toBe(401);
    expect((await ask(method, path, body, 'a-plain-key-of-the-configuration')).status).toBe(403);
  }
  expect((await ask('GET', `/${id}`)).item).toMatchObject({ revoked_at: null, rotated_at: null });
});

test('quotas of keys made here are shown with their limits', async () => {
  await make({ id: 'limited', limits: { rpm: 9 }, user: 'grace', team: 'search', org: 'acme' });
  await make({ org: 'navy' });
  const quota = async (scope: string) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${accounting.url}/admin/v1/quotas/${scope}`, { headers });
    return { status: response.status, ...((await response.json()) as object) };
  };
  expect(await quota('key:limited')).toMatchObject({ status: 200, requests: { limit: 9, used: 0 } });
  await ask('PATCH', '/limited', { limits: { rpm: 11 } });
  expect(await quota('key:limited')).toMatchObject({ requests: { limit: 11 } });
  expect(await quota('user:grace')).toMatchObject({ status: 200, requests: { limit: null } });
  expect(await quota('team:search')).toMatchObject({ requests: { limit: 7 }, day: { limit_usd: '9' } });
  expect(await quota('org:navy')).toMatchObject({ status: 200 });
  expect(await quota('user:nobody')).toMatchObject({ status: 404 });
  expect(await quota('key:nobody')).toMatchObject({ status: 404 });
});

test('with several shards a user or a team of one organisation is refused in another, in a new key and in a changed one', async () => {
  const other = await createTestBench();
  const sharded = await other.startAccounting({ shards: 4 });
  const send = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const init = { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${sharded.url}/admin/v1/keys${path}`, init);
    return { status: response.status, body: await response.json() };
  };
  try {
    expect(await send('POST', '', { id: 'first', user: 'mary', team: 'crew', org: 'fleet' })).toMatchObject({
      status: 201,
    });
    expect(await send('POST', '', { id: 'second', user: 'mary', org: 'fleet' })).toMatchObject({ status: 201 });
    for (const [param, id] of Object.entries({ user: 'mary', team: 'crew' })) {
      const refused = { status: 400, body: { error: { param, message: expect.stringContaining('fleet') } } };
      expect(await send('POST', '', { [param]: id, org: 'army' })).toMatchObject(refused);
    }
    expect(await send('PATCH', '/second', { org: 'army' })).toMatchObject({ status: 400 });
    expect(await send('PATCH', '/second', { org: 'army', user: null })).toMatchObject({ status: 200 });
  } finally {
    await other.close();
  }
});

test('without a store the answer is 503 and says so', async () => {
  const other = await createTestBench({ embedded: true });
  const alone = await other.startAccounting();
  try {
    await other.redis.stop();
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const response = await fetch(`${alone.url}/admin/v1/keys`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('store of the API keys');
  } finally {
    await other.close();
  }
});

test('a content type without a body is no fault, but no key is made of nothing', async () => {
  const { id } = await make();
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const url = `${accounting.url}/admin/v1/keys/${id}`;
  expect((await fetch(`${url}/rotate`, { method: 'POST', headers })).status).toBe(200);
  expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(204);
  const nothing = await fetch(`${accounting.url}/admin/v1/keys`, { method: 'POST', headers });
  expect(nothing.status).toBe(400);
  expect(await nothing.json()).toMatchObject({ error: { reason: 'invalid_request' } });
});

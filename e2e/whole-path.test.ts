import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from '../apps/gateway/test/insist.ts';
import { operate } from './operate.ts';
import { KEY, prepareProcesses, startService, STRANGER_KEY, type Processes, type Service } from './start-processes.ts';

interface Item {
  readonly request_id: string;
  readonly kind: string;
  readonly cost_usd: string;
  readonly outcome: string;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

let processes: Processes;
let accounting: Service;
beforeAll(async () => {
  processes = await prepareProcesses();
  accounting = await processes.startAccounting();
});
afterAll(() => processes.stop());

const ask = (content: string, more: object = {}): Promise<Response> =>
  fetch(`${processes.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', stream: true, messages: [{ role: 'user', content }], ...more }),
  });

/** All rows of the ledger, page by page. */
async function ledger(): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null | undefined = ''; typeof cursor === 'string';) {
    const page: { items: Item[]; next_cursor: string | null } = await operate(
      accounting,
      `ledger?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

describe('the whole path, over the real processes', () => {
  it('a stream ends with its cost, and within 2 s the ledger, the usage, the quota and the caller agree on it', async () => {
    const response = await ask('Hello [simulate tokens=42 prompt=15]');
    const text = await response.text();
    // 15 × 10 and 42 × 30 USD per million.
    expect(text).toContain(
      ': {"cost":"0.00141","input_price":"0.00015","output_price":"0.00126","prompt_tokens":15,"completion_tokens":42}',
    );
    const id = response.headers.get('x-request-id') ?? '';
    await expect
      .poll(() => operate<Item>(accounting, `ledger/${id}`), { timeout: 2_000 })
      .toMatchObject({
        request_id: id,
        kind: 'T',
        outcome: 'completed',
        cost_usd: '0.00141',
        prompt_tokens: 15,
        completion_tokens: 42,
        corrections: [],
      });
    const generation = await fetch(`${processes.gateway.url}/v1/generations/${id}`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(await generation.json()).toMatchObject({
      id,
      outcome: 'completed',
      cost_usd: '0.00141',
      costs: { input: '0.00015', cached: '0', cache_write: '0', output: '0.00126', reasoning: '0' },
      completion_tokens: 42,
    });
    const stranger = await fetch(`${processes.gateway.url}/v1/generations/${id}`, {
      headers: { authorization: `Bearer ${STRANGER_KEY}` },
    });
    expect(stranger.status).toBe(404);
    expect(await operate(accounting, 'usage?group_by=model')).toMatchObject({
      items: [{ group: 'gpt-4', requests: 1, cost_usd: '0.00141' }],
    });
    expect(await operate(accounting, 'quotas/key:e2e')).toMatchObject({
      scope: 'key:e2e',
      requests: { limit: 100000, used: 1 },
      concurrency: { limit: 1000, used: 0 },
      day: { limit_usd: '1000', settled_usd: '0.00141', held_usd: '0' },
    });
  });

  it('killing accounting in the middle of 200 streams loses no row and doubles none', async () => {
    const before = (await ledger()).length;
    const ids = new Set<string>();
    const streams = Array.from({ length: 200 }, async (_, index) => {
      const model = index % 2 === 0 ? 'gpt-4' : 'claude';
      const response = await insist(() => ask(`Hello [simulate tokens=20 pace=${5 + (index % 20)}]`, { model }));
      ids.add(response.headers.get('x-request-id') ?? '');
      expect(await response.text()).toContain('data: [DONE]');
    });
    // Some have been drained by now, most have not.
    await new Promise((resolve) => setTimeout(resolve, 400));
    accounting.process.kill('SIGKILL');
    expect(await accounting.ended).toBe('SIGKILL');
    await Promise.all(streams);
    expect(ids.size).toBe(200);

    accounting = await processes.startAccounting();
    await expect.poll(async () => (await ledger()).length, { timeout: 15_000 }).toBe(before + 200);
    const rows = (await ledger()).filter(({ request_id }) => ids.has(request_id));
    expect(new Set(rows.map(({ request_id }) => request_id)).size).toBe(200);
    expect(rows.every(({ kind, outcome }) => kind === 'T' && outcome === 'completed')).toBe(true);
  });

  it('SIGTERM lets a running stream end, and the gateway exits with 0', async () => {
    const gateway = await processes.startGateway();
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        stream: true,
        messages: [{ role: 'user', content: 'Hi [simulate tokens=30 pace=20]' }],
      }),
    });
    gateway.process.kill('SIGTERM');
    expect(await response.text()).toContain('data: [DONE]');
    expect(await gateway.ended).toBe(0);
  });
});

describe('wrong settings', () => {
  it.each(['gateway', 'accounting'] as const)('%s names all of them at once and exits with 1', async (app) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      GATEWAY_PORT: 'high',
      ACCOUNTING_PORT: '70000',
      REDIS_URL: 'mysql://x',
    };
    const message = await startService(app, env).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(message).toContain('ended with 1');
    for (const name of ['_PORT', 'REDIS_URL', app === 'gateway' ? 'TOKENHUB_KEY_PEPPER' : 'TOKENHUB_ADMIN_TOKEN']) {
      expect(message).toContain(name);
    }
  });
});

describe('a wrong configuration', () => {
  it('is refused with all its mistakes, each with its line and what would be right', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tokenhub-e2e-'));
    const file = join(directory, 'tokenhub.yaml');
    writeFileSync(
      file,
      [
        'providers:',
        '  - { id: a, type: openai, base_url: "http://169.254.169.254/v1", api_key: sk }',
        'models:',
        '  - { id: m, weight: 11, deployments: [{ provider: a, model: m }], price: { input: "1", output: "-1" } }',
        '  - { id: n, weight: 1, deployments: [{ provider: b, model: n }], price: free }',
        'kees: []',
      ].join('\n'),
    );
    const env = {
      PATH: process.env['PATH'] ?? '',
      TOKENHUB_CONFIG: file,
      TOKENHUB_KEY_PEPPER: 'a pepper of the e2e tests',
      REDIS_URL: 'redis://127.0.0.1:1',
    };
    const message = await startService('gateway', env).then(
      () => '',
      (error: Error) => error.message,
    );
    rmSync(directory, { recursive: true });
    expect(message).toContain('ended with 1');
    for (const problem of [
      /:2: providers\[0\]\.base_url .*link-local/,
      /:4: models\[0\]\.weight .*10/,
      /:5: models\[1\]\.deployments\[0\]\.provider .*none of the providers/,
      /:4: models\[0\]\.price\.output/,
      /:6: kees/,
    ]) {
      expect(message).toMatch(problem);
    }
  });
});

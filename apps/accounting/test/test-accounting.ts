import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, parseRedisUrl } from '@tokenhub/config';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { createRedisQuota, type CostEvent, type Quota, type ReserveRequest } from '@tokenhub/metering';
import { createRedis } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { createAccounting, type Accounting, type AccountingSettings } from '../src/index.ts';

export const ADMIN_TOKEN = 'an-admin-token-of-the-tests';
export const KEY_PEPPER = 'a pepper of the tests';

/** A Redis, a directory for the ledger, and what a gateway would do with them. */
export interface TestBench {
  readonly redis: LocalRedis;
  readonly client: Redis | Cluster;
  readonly databaseUrl: string;
  readonly quota: Quota;
  startAccounting(
    settings?: Partial<Pick<AccountingSettings, 'config' | 'reconcileEveryMs' | 'shards'>>,
  ): Promise<Accounting>;
  close(): Promise<void>;
}

export interface TestBenchOptions {
  readonly embedded?: boolean;
  /** One that is there, to be emptied; whoever started it ends it. @defaultValue a new one */
  readonly redis?: LocalRedis | undefined;
  /** @defaultValue a new file of SQLite */
  readonly databaseUrl?: string;
}

export async function createTestBench(options: TestBenchOptions = {}): Promise<TestBench> {
  const redis = options.redis ?? (await startRedis(options));
  const directory = await mkdtemp(join(tmpdir(), 'accounting-test-'));
  const client = createRedis(parseRedisUrl(redis.url), { enableAutoPipelining: true });
  // Tests that take the server away say so by what they expect
  client.on('error', () => {});
  if (options.redis !== undefined) await client.flushall();
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(directory, 'ledger.sqlite')}`;
  const running = new Set<Accounting>();
  return {
    redis,
    client,
    databaseUrl,
    quota: createRedisQuota({ redis: client, admissionTimeoutMs: 10_000 }),
    async startAccounting(settings = {}) {
      const accounting = await createAccounting({
        config: loadConfig(CONFIG, { env: {}, fileName: 'test.yaml' }),
        redis: parseRedisUrl(redis.url),
        databaseUrl,
        adminToken: ADMIN_TOKEN,
        keyPeppers: [KEY_PEPPER],
        host: '127.0.0.1',
        port: 0,
        logLevel: 'silent',
        ...settings,
      });
      running.add(accounting);
      return {
        ...accounting,
        async close() {
          running.delete(accounting);
          await accounting.close();
        },
      };
    },
    async close() {
      for (const accounting of running) await accounting.close();
      client.disconnect();
      if (options.redis === undefined) await redis.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const CONFIG = `
providers: [{ id: local, type: vllm, base_url: "http://127.0.0.1:9/v1", allow_private: true }]
models: [{ id: gpt-4, weight: 8, deployments: [{ provider: local, model: gpt-4 }], price: free }]
keys:
  - id: demo
    key: a-plain-key-of-the-configuration
    user: ada
    org: acme
    limits: { rpm: 60, tpm: 100000, concurrency: 10, budget_day_usd: "5.00", budget_month_usd: "50.00" }
orgs: { acme: { limits: { budget_month_usd: "500.00" } } }
teams: { search: { limits: { rpm: 7, budget_day_usd: "9" } } }
`;

/** A request as its gateway states it at its end: 15 tokens in, 42 out, 0.0012 USD. */
export function sampleEvent(changes: Partial<CostEvent> = {}): CostEvent {
  const { inputCostNanoUsd = 300_000n, outputCostNanoUsd = 900_000n } = changes;
  return {
    requestId: 'req_1',
    keyId: 'demo',
    user: 'ada',
    org: 'acme',
    surface: 'chat_completions',
    streamed: true,
    requestedModel: 'gpt-4',
    clientRequestId: 'mine-1',
    admittedAt: Date.now(),
    outcome: 'completed',
    model: 'gpt-4',
    provider: 'openai',
    deployment: 'openai/gpt-4',
    reason: 'routed-weight-8',
    counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 3, cacheWriteTokens: 2, reasoningTokens: 7 },
    costNanoUsd: 1_200_000n,
    inputCostNanoUsd,
    outputCostNanoUsd,
    costsNanoUsd: { input: inputCostNanoUsd, cached: 0n, cacheWrite: 0n, output: outputCostNanoUsd, reasoning: 0n },
    estimated: false,
    priceVersion: 'file',
    firstTokenMs: 120,
    durationMs: 900,
    attempts: [
      {
        deployment: 'openai/gpt-4',
        provider: 'openai',
        model: 'gpt-4',
        outcome: 'served',
        status: 200,
        costNanoUsd: 1_200_000n,
      },
    ],
    ...changes,
  };
}

export function toReserveRequest(event: CostEvent): ReserveRequest {
  const { requestId, keyId, user, org, surface, streamed, admittedAt } = event;
  return {
    requestId,
    org,
    scopes: [
      { id: `key:${keyId}`, limits: {} },
      { id: `org:${org}`, limits: {} },
    ],
    tokens: 1000,
    costNanoUsd: 5_000_000n,
    floorNanoUsd: 100n,
    admission: { requestId, keyId, user, org, surface, streamed, admittedAt },
  };
}

/** What a gateway does for a request from its admission to its end. */
export async function spend(quota: Quota, changes: Partial<CostEvent> = {}): Promise<CostEvent> {
  const event = sampleEvent(changes);
  await quota.reserve(toReserveRequest(event));
  const { requestId, org, counts, costNanoUsd } = event;
  await quota.settle({ requestId, org, tokens: counts.promptTokens + counts.completionTokens, costNanoUsd, event });
  return event;
}

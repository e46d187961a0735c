import { createRedisQuota, type CostEvent, type Limits, type ReserveRequest, type Scope } from '@tokenhub/metering';
import { startRedis } from '@tokenhub/local-redis';
import { Redis } from 'ioredis';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
}

const ROUNDS = 5;
const PAIRS_PER_ROUND = 10_000;
const CONCURRENCY = 50;

/** Reserve + settle, 50 at a time, over a unix socket, by who is limited; medians of five rounds. */
export async function run(): Promise<readonly Row[]> {
  const server = await startRedis();
  const redis = server.url.startsWith('unix://')
    ? new Redis({ path: server.url.slice('unix://'.length), enableAutoPipelining: true })
    : new Redis(server.url, { enableAutoPipelining: true });
  try {
    const quota = createRedisQuota({ redis, admissionTimeoutMs: 10_000 });
    let next = 0;
    const pairs = async (scopes: readonly Scope[], count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const requestId = `req_${next++}`;
        const decision = await quota.reserve(toRequest(requestId, scopes));
        if (!decision.granted) throw new Error(`refused in ${decision.dimension}`);
        await quota.settle({ requestId, org: 'acme', tokens: 700, costNanoUsd: 1_200_000n, event: toEvent(requestId) });
      }
    };
    const round = async (scopes: readonly Scope[]): Promise<void> => {
      await Promise.all(Array.from({ length: CONCURRENCY }, () => pairs(scopes, PAIRS_PER_ROUND / CONCURRENCY)));
    };
    const measure = async (scopes: readonly Scope[]): Promise<Result> => {
      await redis.del('gw:{q0}:out');
      const redisBefore = await redisCpuUs(redis);
      const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
      await round(scopes);
      const [elapsedMs, { user, system }] = [performance.now() - startedAt, process.cpuUsage(cpu)];
      return {
        perSecond: (PAIRS_PER_ROUND / elapsedMs) * 1000,
        nodeUs: (user + system) / PAIRS_PER_ROUND,
        redisUs: ((await redisCpuUs(redis)) - redisBefore) / PAIRS_PER_ROUND,
      };
    };

    const rows: Row[] = [];
    for (const [scopesName, scopes] of Object.entries(SCOPES)) {
      await round(scopes);
      const results: Result[] = [];
      for (let index = 0; index < ROUNDS; index++) results.push(await measure(scopes));
      const name = `reserve + settle, ${scopesName}`;
      rows.push(
        { name, value: median(results.map(({ perSecond }) => perSecond)), unit: 'pairs/s' },
        { name: `${name}, Node CPU`, value: median(results.map(({ nodeUs }) => nodeUs)), unit: 'µs/pair' },
        { name: `${name}, Redis CPU`, value: median(results.map(({ redisUs }) => redisUs)), unit: 'µs/pair' },
      );
    }
    return rows;
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

interface Result {
  readonly perSecond: number;
  readonly nodeUs: number;
  readonly redisUs: number;
}

const LIMITS: Limits = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrency: 1000,
  dayNanoUsd: 1_000_000_000_000_000n,
  monthNanoUsd: 8_000_000_000_000_000n,
};

/** The second is what the gateway asks for by default: limits on a key, and an organisation that is only counted. */
const SCOPES: Readonly<Record<string, readonly Scope[]>> = {
  'one scope': [{ id: 'key:demo', limits: LIMITS }],
  'key and unlimited organisation': [
    { id: 'key:demo', limits: LIMITS },
    { id: 'org:acme', limits: {} },
  ],
  'three scopes': [
    { id: 'key:demo', limits: LIMITS },
    { id: 'user:ada', limits: LIMITS },
    { id: 'org:acme', limits: LIMITS },
  ],
};

function toAdmission(requestId: string) {
  return {
    requestId,
    keyId: 'demo',
    org: 'acme',
    surface: 'chat_completions',
    streamed: true,
    requestedModel: 'gpt-4',
    admittedAt: Date.now(),
  } as const;
}

function toRequest(requestId: string, scopes: readonly Scope[]): ReserveRequest {
  return {
    requestId,
    org: 'acme',
    scopes,
    tokens: 1000,
    costNanoUsd: 2_000_000n,
    floorNanoUsd: 300_000n,
    admission: toAdmission(requestId),
  };
}

function toEvent(requestId: string): CostEvent {
  return {
    ...toAdmission(requestId),
    outcome: 'completed',
    model: 'gpt-4',
    provider: 'openai',
    deployment: 'openai/gpt-4',
    reason: 'routed-weight-8',
    counts: { promptTokens: 300, completionTokens: 400, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    costNanoUsd: 1_200_000n,
    inputCostNanoUsd: 300_000n,
    outputCostNanoUsd: 900_000n,
    costsNanoUsd: { input: 300_000n, cached: 0n, cacheWrite: 0n, output: 900_000n, reasoning: 0n },
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
  };
}

async function redisCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1] ?? 0);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

import { createRedisQuota, type CostEvent, type Limits, type ReserveRequest } from '@tokenhub/metering';
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

/** Reserve + settle of one scope with five limits, 50 at a time, over a unix socket; medians of five rounds. */
export async function run(): Promise<readonly Row[]> {
  const server = await startRedis();
  const redis = server.url.startsWith('unix://')
    ? new Redis({ path: server.url.slice('unix://'.length), enableAutoPipelining: true })
    : new Redis(server.url, { enableAutoPipelining: true });
  try {
    const quota = createRedisQuota({ redis, admissionTimeoutMs: 10_000 });
    let next = 0;
    const pairs = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const requestId = `req_${next++}`;
        const decision = await quota.reserve(toRequest(requestId));
        if (!decision.granted) throw new Error(`refused in ${decision.dimension}`);
        await quota.settle({ requestId, org: 'acme', tokens: 700, costNanoUsd: 1_200_000n, event: toEvent(requestId) });
      }
    };
    const round = () => Promise.all(Array.from({ length: CONCURRENCY }, () => pairs(PAIRS_PER_ROUND / CONCURRENCY)));

    await round();
    const results: { perSecond: number; nodeUs: number; redisUs: number }[] = [];
    for (let index = 0; index < ROUNDS; index++) {
      await redis.del('gw:{q0}:out');
      const redisBefore = await redisCpuUs(redis);
      const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
      await round();
      const [elapsedMs, { user, system }] = [performance.now() - startedAt, process.cpuUsage(cpu)];
      results.push({
        perSecond: (PAIRS_PER_ROUND / elapsedMs) * 1000,
        nodeUs: (user + system) / PAIRS_PER_ROUND,
        redisUs: ((await redisCpuUs(redis)) - redisBefore) / PAIRS_PER_ROUND,
      });
    }
    return [
      { name: 'reserve + settle', value: median(results.map(({ perSecond }) => perSecond)), unit: 'pairs/s' },
      { name: 'reserve + settle, Node CPU', value: median(results.map(({ nodeUs }) => nodeUs)), unit: 'µs/pair' },
      { name: 'reserve + settle, Redis CPU', value: median(results.map(({ redisUs }) => redisUs)), unit: 'µs/pair' },
    ];
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

const LIMITS: Limits = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrency: 1000,
  dayNanoUsd: 1_000_000_000_000_000n,
  monthNanoUsd: 8_000_000_000_000_000n,
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

function toRequest(requestId: string): ReserveRequest {
  return {
    requestId,
    org: 'acme',
    scopes: [{ id: 'key:demo', limits: LIMITS }],
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
    estimated: false,
    priceVersion: 'file',
    firstTokenMs: 120,
    durationMs: 900,
    attempts: [
      { deployment: 'openai/gpt-4', provider: 'openai', model: 'gpt-4', outcome: 'served', status: 200, costNanoUsd: 1_200_000n },
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

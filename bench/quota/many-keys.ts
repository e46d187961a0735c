import { createKeyStore } from '../../packages/keys/src/index.ts';
import { shardKeys } from '../../packages/metering/src/quota/keys.ts';
import { median, percentile } from '../statistics.ts';
import { offerReservations } from './offer-reservations.ts';
import type { QuotaBench, Store } from './quota-bench.ts';
import type { QuotaFigure } from './quota-figure.ts';
import { toRequest, toSettlement } from './requests.ts';

const MANY = 100_000;
const FEW = 100;
const PER_SECOND = 500;
/** So many at a time are made and used. */
const BATCH = 200;
const MEBIBYTE = 1_024 * 1_024;

/**
 * What 100,000 API keys, each of which has been used, take in Redis; and how long reservations of keys drawn from all of them
 * take, against those of a hundred in a Redis that has no others, in turns.
 */
export async function measureManyKeys(bench: QuotaBench): Promise<QuotaFigure[]> {
  const count = bench.isQuick ? MANY / 10 : MANY;
  const few = await bench.startStore();
  const many = await bench.startStore();
  try {
    await fill(few, FEW);
    const { keyBytes, scopeBytes } = await fill(many, count);
    const sizes = [keyBytes, scopeBytes].map((bytes) => (bytes / count) * (MANY / MEBIBYTE));
    const p99s = await compare(bench, { few: [few, FEW], many: [many, count] });
    const [p99Few, p99Many] = [p99s.map(([one]) => one), p99s.map(([, other]) => other)];
    return [
      {
        name: 'keys: 100,000, each used once',
        what: 'memory of Redis, MiB',
        value: sizes.reduce((sum, size) => sum + size, 0),
        gate: { atMost: 100 },
        also: `keys ${sizes[0]?.toFixed(1)}, their quotas and those of 10,000 users and 1,000 organisations ${sizes[1]?.toFixed(1)}`,
      },
      {
        name: `keys: admission of 100,000 against that of ${FEW}`,
        what: 'p99, ratio',
        value: median(p99s.map(([one, other]) => other / one)),
        gate: { atMost: 1.2 },
        also: `medians ${median(p99Many).toFixed(2)} and ${median(p99Few).toFixed(2)} ms of ${p99s.length} rounds`,
      },
    ];
  } finally {
    await many.stop();
    await few.stop();
  }
}

interface Contest {
  readonly few: readonly [Store, number];
  readonly many: readonly [Store, number];
}

/** The 99th percentiles of both, of each round; whoever came first comes second in the next. */
async function compare({ isQuick }: QuotaBench, { few, many }: Contest): Promise<(readonly [number, number])[]> {
  const durationMs = isQuick ? 3_000 : 10_000;
  const measure = async ([{ quota }, count]: readonly [Store, number]): Promise<number> => {
    const keyOf = (): number => Math.floor(Math.random() * count);
    return percentile(await offerReservations(quota, { perSecond: PER_SECOND, durationMs, keyOf }), 0.99);
  };
  const rounds: (readonly [number, number])[] = [];
  for (let round = -1; round < (isQuick ? 2 : 6); round++) {
    const first = await measure(round % 2 === 0 ? few : many);
    const second = await measure(round % 2 === 0 ? many : few);
    // The first round only primes.
    if (round >= 0) rounds.push(round % 2 === 0 ? [first, second] : [second, first]);
  }
  return rounds;
}

/** Makes so many keys and uses each of them once. */
async function fill(store: Store, count: number): Promise<{ keyBytes: number; scopeBytes: number }> {
  const { redis, quota } = store;
  const keys = createKeyStore({ redis, peppers: ['a pepper of the benchmarks'], answerTimeoutMs: 60_000 });
  const empty = await store.usedMemory();
  await inBatches(count, async (key) => {
    const { admission } = toRequest('', key);
    const limits = { rpm: 600, tpm: 1_000_000, concurrency: 50, budget_day_usd: '10', budget_month_usd: '200' };
    await keys.create({ id: admission.keyId, fields: { org: admission.org, user: admission.user, limits } });
  });
  const made = await store.usedMemory();
  await inBatches(count, async (key) => {
    const request = toRequest(`first-${key}`, key);
    await quota.reserve(request);
    await quota.settle(toSettlement(request));
  });
  await redis.del(shardKeys(0).outbox);
  return { keyBytes: made - empty, scopeBytes: (await store.usedMemory()) - made };
}

async function inBatches(count: number, work: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, (_, offset) => work(from + offset)));
  }
}

/** One of the processes that race for the same quota, forked by `start-racers.ts` with the address of Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { redisOptions } from '@tokenhub/config';
import { createRedisQuota, type Dimension } from '@tokenhub/metering';
import { Redis } from 'ioredis';
import { sampleReserve, sampleSettlement } from '../../packages/metering/test/samples.ts';
import type { Heat, Order, Tally } from './heat.ts';

/** A busy machine may be slow; a gateway would give up, and the request might have been admitted all the same. */
const PATIENCE_MS = 30_000;

const redis = new Redis({ ...redisOptions(process.argv[2] ?? ''), enableAutoPipelining: true });
const quota = createRedisQuota({ redis, admissionTimeoutMs: PATIENCE_MS });
await redis.ping();
/** Granted and not settled yet. */
const held = new Set<string>();

process.on('message', ({ kind, heat }: Order) => {
  const done = kind === 'race' ? race(heat) : settleAll(heat);
  void done.then((tally) => process.send?.(tally));
});
process.on('disconnect', () => redis.disconnect());
process.send?.('ready');

async function race(heat: Heat): Promise<Tally> {
  const { name, scopes, tokens, costNanoUsd, holdMs } = heat;
  const refused: Partial<Record<Dimension, number>> = {};
  let [asked, granted, mostHolders, settledNanoUsd] = [0, 0, 0, 0n];
  // What a heat that failed has left
  held.clear();

  async function ask(requestId: string): Promise<void> {
    const decision = await quota.reserve(sampleReserve(requestId, { org: name, scopes, tokens, costNanoUsd }));
    if (!decision.granted) {
      refused[decision.dimension] = (refused[decision.dimension] ?? 0) + 1;
      return;
    }
    granted++;
    held.add(requestId);
    if (holdMs === undefined) return;
    // Counted after the grant and until before the end: never more than hold a slot.
    mostHolders = Math.max(mostHolders, await redis.incr(`${name}:holders`));
    await sleep(holdMs);
    await redis.decr(`${name}:holders`);
    const cost = await settle(heat, requestId);
    settledNanoUsd += cost;
  }

  async function call(): Promise<void> {
    while (asked < heat.reserves) await ask(`${name}-${process.pid}-${asked++}`);
  }

  await Promise.all(Array.from({ length: heat.callers }, call));
  return { granted, refused, mostHolders, settledNanoUsd };
}

async function settleAll(heat: Heat): Promise<Tally> {
  const costs = await Promise.all([...held].map((requestId) => settle(heat, requestId)));
  return { granted: 0, refused: {}, mostHolders: 0, settledNanoUsd: costs.reduce((sum, cost) => sum + cost, 0n) };
}

/** Some cost less than was held for them, some more. */
async function settle({ name, tokens, costNanoUsd }: Heat, requestId: string): Promise<bigint> {
  held.delete(requestId);
  const cost = (costNanoUsd * BigInt(held.size % 7)) / 5n;
  await quota.settle(sampleSettlement(requestId, { org: name, tokens, costNanoUsd: cost }));
  return cost;
}

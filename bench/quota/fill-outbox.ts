import { shardKeys } from '../../packages/metering/src/quota/keys.ts';
import type { Store } from './quota-bench.ts';
import { toRequest, toSettlement } from './requests.ts';

const ORIGINALS = 200;
const BATCH = 1_000;

/**
 * Puts so many cost events into the outbox: a few that the scripts have written, of as many keys, and copies of those that
 * differ in the id of the request. A gateway would need minutes for it.
 */
export async function fillOutbox({ redis, quota }: Store, count: number): Promise<void> {
  const { outbox } = shardKeys(0);
  for (let key = 0; key < ORIGINALS; key++) {
    const request = toRequest(`original-${key}.`, key);
    await quota.reserve(request);
    await quota.settle(toSettlement(request));
  }
  const originals = (await redis.xrange(outbox, '-', '+')).map(([, fields]) => fields);
  for (let copies = ORIGINALS; copies < count;) {
    const pipeline = redis.pipeline();
    for (const end = Math.min(count, copies + BATCH); copies < end; copies++) {
      const original = originals[copies % ORIGINALS] ?? [];
      pipeline.xadd(outbox, '*', ...original.map((text) => text.replaceAll(/original-\d+\./g, `copy-${copies}`)));
    }
    await pipeline.exec();
  }
}

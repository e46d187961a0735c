import { setTimeout as sleep } from 'node:timers/promises';
import { createRedisQuota } from '@tokenhub/metering';
import { percentile } from '../statistics.ts';
import { startAccounting } from '../targets.ts';
import { fillOutbox } from './fill-outbox.ts';
import { LEDGER_KINDS } from './ledgers.ts';
import { offerReservations } from './offer-reservations.ts';
import type { QuotaBench, Store } from './quota-bench.ts';
import type { QuotaFigure } from './quota-figure.ts';
import { toRequest } from './requests.ts';

/** Somewhat fewer than may wait before requests under a budget are refused. */
const EVENTS = 180_000;
const QUICK_EVENTS = 30_000;
const PER_SECOND = 200;
const KEYS = 50;
/** The new requests go on for so long at a time. */
const SPELL_MS = 1_000;
const LEASE_MS = 1_000;
const POLL_MS = 20;

/**
 * Accounting has been away, and comes back to a long outbox while new requests go on: how fast that is drained, and whether
 * everything else has its turn.
 */
export async function measureBacklog(bench: QuotaBench): Promise<QuotaFigure[]> {
  const store = await bench.startStore();
  const [kind] = LEDGER_KINDS;
  const ledger = await kind?.start(store);
  try {
    if (ledger === undefined) return [];
    await offerWork(store);
    const emptyBytes = await store.usedMemory();
    const count = bench.isQuick ? QUICK_EVENTS : EVENTS;
    await fillOutbox(store, count);
    const bytesEach = ((await store.usedMemory()) - emptyBytes) / count;

    const accounting = await startAccounting(store.url, store.directory, ledger.databaseUrl);
    if (accounting === undefined) return [];
    const waiting = await store.outbox.length();
    const beganAt = performance.now();
    const sweptIn = timeUntilSwept(store);
    const latenciesMs: number[] = [];
    do latenciesMs.push(...(await offerWork(store)));
    while ((await store.outbox.length()) > PER_SECOND);
    const drained = waiting + latenciesMs.length - (await store.outbox.length());
    const perSecond = (drained / (performance.now() - beganAt)) * 1_000;
    const sweptMs = await sweptIn;
    while ((await store.outbox.length()) > 0) await sleep(POLL_MS);
    await accounting.stop();
    return [
      {
        name: `backlog: ${waiting.toLocaleString('en')} events, ${PER_SECOND} new requests a second`,
        what: 'events a second',
        value: perSecond,
        gate: { atLeast: 5_000 },
        also: `${bytesEach.toFixed(0)} bytes of Redis each; a lease that ended was swept after ${(sweptMs / 1_000).toFixed(1)} s`,
      },
      {
        name: 'backlog: admission of the new requests',
        what: 'p99, ms',
        value: percentile(latenciesMs, 0.99),
        gate: { atMost: 5 },
        also: `p50 ${percentile(latenciesMs, 0.5).toFixed(2)}, longest ${Math.max(...latenciesMs).toFixed(1)} of ${latenciesMs.length}`,
      },
    ];
  } finally {
    await ledger?.stop();
    await store.stop();
  }
}

function offerWork({ quota }: Store): Promise<number[]> {
  return offerReservations(quota, { perSecond: PER_SECOND, durationMs: SPELL_MS, keyOf: (index) => index % KEYS });
}

/** Milliseconds until accounting ends a reservation whose gateway has died, from the end of its lease. */
async function timeUntilSwept({ redis }: Store): Promise<number> {
  const quota = createRedisQuota({ redis, leaseMs: LEASE_MS });
  const request = toRequest('of-a-gateway-that-died', KEYS);
  await quota.reserve(request);
  const endsAt = performance.now() + LEASE_MS;
  const [scope] = request.scopes;
  while ((await quota.read(scope?.id ?? '', request.org)).concurrency > 0) await sleep(POLL_MS);
  return performance.now() - endsAt;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Quota } from '@tokenhub/metering';
import { toRequest, toSettlement } from './requests.ts';

export interface ReservationOffer {
  readonly perSecond: number;
  readonly durationMs: number;
  /** Whose request the n-th one is. */
  readonly keyOf: (index: number) => number;
}

/** From a grant to its settlement: as long as a short answer takes. */
const HOLD_MS = 200;

let offers = 0;

/**
 * Asks for reservations at a fixed rate, whatever becomes of those before, and settles each a moment later.
 * @returns milliseconds from each question to its answer, in the order of the answers
 * @throws Error when one is refused.
 */
export async function offerReservations(quota: Quota, offer: ReservationOffer): Promise<number[]> {
  const { perSecond, durationMs, keyOf } = offer;
  const total = Math.round((perSecond * durationMs) / 1_000);
  const name = `offer-${process.pid}-${++offers}`;
  const latenciesMs: number[] = [];
  const underWay: Promise<void>[] = [];

  async function ask(index: number): Promise<void> {
    const request = toRequest(`${name}-${index}`, keyOf(index));
    const askedAt = performance.now();
    const decision = await quota.reserve(request);
    latenciesMs.push(performance.now() - askedAt);
    if (!decision.granted) throw new Error(`refused by ${decision.scope} in ${decision.dimension}`);
    await sleep(HOLD_MS);
    await quota.settle(toSettlement(request));
  }

  const startedAt = performance.now();
  while (underWay.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) + 1);
    while (underWay.length < due) underWay.push(ask(underWay.length));
    await sleep(1);
  }
  await Promise.all(underWay);
  return latenciesMs;
}

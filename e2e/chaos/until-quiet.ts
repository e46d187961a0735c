import { expect } from 'vitest';
import { ADMIN_TOKEN } from '../start-processes.ts';
import type { House } from './house.ts';

/** Leases pass and events drain. */
const QUIET_MS = 120_000;

/** Waits until nothing runs, all is in the ledger, and accounting says that its counters agree with it. */
export async function untilQuiet({ workers: [worker] }: House): Promise<void> {
  const ask = async (): Promise<unknown> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    // What is not answered is part of what is wrong
    const response = await fetch(`${worker?.url}/admin/v1/reconcile`, { headers, signal: AbortSignal.timeout(30_000) });
    return response.json();
  };
  const reconcile = () => ask().catch((error: unknown) => String(error));
  await expect
    .poll(reconcile, { timeout: QUIET_MS, interval: 1000 })
    .toMatchObject({ ok: true, live: 0, outbox: 0, dead_letters: 0 });
}

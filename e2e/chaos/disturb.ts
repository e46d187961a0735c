import { setTimeout as sleep } from 'node:timers/promises';
import type { House } from './house.ts';
import type { Tenant } from './tenant.ts';

/** One thing that was done to the house, for the record. */
export interface Disturbance {
  readonly atMs: number;
  readonly what: string;
}

/** Longer than a lease, so that what a paused gateway holds is swept, and corrected when it goes on. */
const BEYOND_LEASE_MS = 33_000;

/**
 * Kills and pauses processes at random until it is told to stop, never the same one twice at a time. All of them run when it
 * has stopped.
 */
export function startDisturbing(house: House, random: () => number) {
  const done: Disturbance[] = [];
  const startedAt = performance.now();
  const stopped = new AbortController();
  const busy = new Set<Tenant>();
  const running = new Set<Promise<void>>();

  const note = (what: string): void => void done.push({ atMs: Math.round(performance.now() - startedAt), what });
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopped.signal }).catch(() => {});

  async function kill(tenant: Tenant, awayMs: number): Promise<void> {
    note(`kill ${tenant.name} for ${awayMs} ms`);
    await tenant.kill();
    await rest(awayMs);
    await tenant.restart();
  }
  async function pause(tenant: Tenant, awayMs: number): Promise<void> {
    note(`pause ${tenant.name} for ${awayMs} ms`);
    tenant.pause();
    await rest(awayMs);
    tenant.resume();
  }
  function disturb(tenant: Tenant | undefined, how: typeof kill, awayMs: number): void {
    if (tenant === undefined || busy.has(tenant)) return;
    busy.add(tenant);
    const disturbance = how(tenant, Math.round(awayMs)).finally(() => {
      busy.delete(tenant);
      running.delete(disturbance);
    });
    running.add(disturbance);
  }

  const { gateways, workers, redis, postgres } = house;
  const of = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const ended = (async () => {
    // Once in every run, with streams under way: longer than their leases
    await rest(2000);
    disturb(gateways[1], pause, BEYOND_LEASE_MS);
    while (!stopped.signal.aborted) {
      await rest(400 + random() * 1600);
      const choice = random();
      if (choice < 0.2) disturb(of(gateways), kill, random() * 500);
      else if (choice < 0.3) disturb(of(gateways), pause, 500 + random() * 3000);
      else if (choice < 0.5) disturb(of(workers), kill, random() * 2000);
      else if (choice < 0.6) disturb(of(workers), pause, 500 + random() * 4000);
      else if (choice < 0.75) disturb(redis, kill, random() * 1000);
      else if (choice < 0.85) disturb(redis, pause, 300 + random() * 2000);
      else disturb(postgres, kill, random() * 2000);
    }
  })();
  return {
    done: done as readonly Disturbance[],
    async stop(): Promise<void> {
      stopped.abort();
      await ended;
      await Promise.all(running);
    },
  };
}

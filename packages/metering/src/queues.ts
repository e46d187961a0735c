/**
 * Everything about BullMQ that must be the same wherever it is used. A job is a slice of work and never carries money:
 * to lose one or to run one twice is harmless.
 */

/** One queue per kind of work, so that neither waits for the other. Names must not hold a `:`. */
export const QUEUES = { drain: 'drain', sweep: 'sweep', reconcile: 'reconcile' } as const;

/** First part of all of BullMQ's keys; in braces, since its scripts use several keys that must share a slot of a cluster. */
export const QUEUE_PREFIX = '{tokenhub}';

export const TICKS_MS = { drain: 250, sweep: 1000, reconcile: 60_000 } as const;

/** Of the drain job. */
export interface DrainJob {
  readonly shard: number;
}

/** Name of what makes the drain jobs of a shard. Must not hold a `:` nor be digits only. */
export function drainScheduler(shard: number): string {
  return `drain-${shard}`;
}

export const SWEEP_SCHEDULER = 'sweep-all';
export const RECONCILE_SCHEDULER = 'reconcile-all';

/** For jobs that are added one by one. Completed ones are trimmed, failed ones kept for a person to look at. */
export const JOB_OPTIONS = {
  attempts: 25,
  backoff: { type: 'exponential', delay: 200, jitter: 0.5 },
  removeOnComplete: { age: 3600, count: 1000 },
  removeOnFail: false,
} as const;

/** For jobs of a scheduler: the next tick is the next attempt; 25 attempts of each would pile up while the ledger is away. */
export const TICK_OPTIONS = {
  attempts: 1,
  removeOnComplete: JOB_OPTIONS.removeOnComplete,
  removeOnFail: { count: 1000 },
} as const;

/** The stream of events that a queue writes; nobody here reads it, and an in-process Redis pays for its length. */
export const QUEUE_STREAMS = { events: { maxLen: 100 } } as const;

/** By default a job that two workers died with counts as failed, whatever its attempts. */
export const WORKER_OPTIONS = { maxStalledCount: 1000, stalledInterval: 10_000 } as const;

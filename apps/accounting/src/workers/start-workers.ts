import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '@tokenhub/config';
import {
  drainScheduler,
  JOB_OPTIONS,
  QUEUE_PREFIX,
  QUEUE_STREAMS,
  QUEUES,
  SWEEP_SCHEDULER,
  TICK_OPTIONS,
  TICKS_MS,
  WORKER_OPTIONS,
  type DrainJob,
} from '@tokenhub/metering';
import { Queue, Worker } from 'bullmq';

export interface WorkersOptions {
  readonly redis: RedisConnection;
  readonly shards: number;
  /** What a drain job does. */
  readonly drain: (shard: number) => Promise<void>;
  /** What a sweep job does. */
  readonly sweep: () => Promise<void>;
  /** Told of everything that fails; the next tick tries again. */
  readonly onError: (error: Error) => void;
}

export interface Workers {
  /** Makes sure that ticks come; for a store that may have lost its data. */
  schedule(): Promise<void>;
  /**
   * Takes no more jobs and lets running ones end, for at most 5 s; `force` waits for none, which is harmless too.
   * A job that was cut off is found stalled and run again.
   */
  close(options: { readonly force: boolean }): Promise<void>;
}

const CLOSE_MS = 5000;

/** BullMQ in, one call out: ticks for every shard's drain and for the sweep, and the workers that follow them. */
export function startWorkers({ redis, shards, drain, sweep, onError }: WorkersOptions): Workers {
  // Producers fail fast; workers wait for the store, however long it is away
  const producer = { ...redis, enableOfflineQueue: false, maxRetriesPerRequest: 1 };
  const consumer = { ...redis, maxRetriesPerRequest: null };
  const queueOptions = {
    connection: producer,
    prefix: QUEUE_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: QUEUE_STREAMS,
  };
  const workerOptions = { connection: consumer, prefix: QUEUE_PREFIX, ...WORKER_OPTIONS };

  const drains = new Queue<DrainJob>(QUEUES.drain, queueOptions);
  const sweeps = new Queue<undefined>(QUEUES.sweep, queueOptions);
  const drainer = new Worker<DrainJob>(QUEUES.drain, ({ data }) => drain(data.shard), {
    ...workerOptions,
    concurrency: shards,
  });
  const sweeper = new Worker<undefined>(QUEUES.sweep, sweep, workerOptions);
  for (const queue of [drains, sweeps]) queue.on('error', onError);
  drainer.on('error', onError).on('failed', (_job, error) => onError(error));
  sweeper.on('error', onError).on('failed', (_job, error) => onError(error));

  return {
    async schedule() {
      for (let shard = 0; shard < shards; shard++) {
        const template = { name: QUEUES.drain, data: { shard }, opts: TICK_OPTIONS };
        await drains.upsertJobScheduler(drainScheduler(shard), { every: TICKS_MS.drain }, template);
      }
      const template = { name: QUEUES.sweep, opts: TICK_OPTIONS };
      await sweeps.upsertJobScheduler(SWEEP_SCHEDULER, { every: TICKS_MS.sweep }, template);
    },
    async close({ force }) {
      const closed = Promise.all([drainer, sweeper].map((worker) => worker.close(force)))
        .then(() => Promise.all([drains, sweeps].map((queue) => (force ? queue.disconnect() : queue.close()))))
        .catch(onError);
      const tooLong = new AbortController();
      await Promise.race([closed, sleep(CLOSE_MS, undefined, { signal: tooLong.signal }).catch(() => undefined)]);
      tooLong.abort();
    },
  };
}

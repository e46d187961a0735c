import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '@tokenhub/config';
import {
  drainScheduler,
  JOB_OPTIONS,
  QUEUE_PREFIX,
  QUEUE_STREAMS,
  QUEUES,
  RECONCILE_SCHEDULER,
  SWEEP_SCHEDULER,
  TICK_OPTIONS,
  TICKS_MS,
  WORKER_OPTIONS,
  type DrainJob,
} from '@tokenhub/metering';
import { createRedis } from '@tokenhub/redis';
import { Queue, Worker } from 'bullmq';

export interface WorkersOptions {
  readonly redis: RedisConnection;
  readonly shards: number;
  /** What a drain job does. */
  readonly drain: (shard: number) => Promise<void>;
  /** What a sweep job does. */
  readonly sweep: () => Promise<void>;
  /** What a reconcile job does. */
  readonly reconcile: () => Promise<void>;
  readonly reconcileEveryMs: number;
  /** Told of everything that fails; the next tick tries again. */
  readonly onError: (error: Error) => void;
}

export interface Workers {
  /** Makes the ticks. They are made again by themselves when none has come for a while: the store may have lost them. */
  schedule(): Promise<void>;
  /**
   * Takes no more jobs and lets running ones end, for at most 5 s; `force` waits for none, which is harmless too.
   * A job that was cut off is found stalled and run again.
   */
  close(options: { readonly force: boolean }): Promise<void>;
}

const CLOSE_MS = 5000;
/** Without a tick for so long, ticks are made anew. */
const SILENCE_MS = 3000;

/** BullMQ in, one call out: ticks for every shard's drain, the sweep and the reconciliation, and the workers that follow them. */
export function startWorkers(options: WorkersOptions): Workers {
  const { redis, shards, drain, sweep, reconcile, reconcileEveryMs, onError } = options;
  // Producers fail fast; workers wait for the store, however long it is away
  const producer = createRedis(redis, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  const consumer = createRedis(redis, { maxRetriesPerRequest: null });
  // Queues and workers tell what goes wrong with them
  for (const client of [producer, consumer]) client.on('error', () => {});
  const queueOptions = {
    connection: producer,
    prefix: QUEUE_PREFIX,
    defaultJobOptions: JOB_OPTIONS,
    streams: QUEUE_STREAMS,
  };
  const workerOptions = { connection: consumer, prefix: QUEUE_PREFIX, ...WORKER_OPTIONS };

  const drains = new Queue<DrainJob>(QUEUES.drain, queueOptions);
  const sweeps = new Queue<undefined>(QUEUES.sweep, queueOptions);
  const reconciliations = new Queue<undefined>(QUEUES.reconcile, queueOptions);
  const queues = [drains, sweeps, reconciliations];
  let lastTickAt = performance.now();
  const drainer = new Worker<DrainJob>(QUEUES.drain, ({ data }) => drain(data.shard), {
    ...workerOptions,
    concurrency: shards,
  });
  const sweeper = new Worker<undefined>(QUEUES.sweep, sweep, workerOptions);
  const reconciler = new Worker<undefined>(QUEUES.reconcile, reconcile, workerOptions);
  for (const queue of queues) queue.on('error', onError);
  drainer.on('error', onError).on('failed', (_job, error) => onError(error));
  drainer.on('active', () => (lastTickAt = performance.now()));
  for (const worker of [sweeper, reconciler]) {
    worker.on('error', onError).on('failed', (_job, error) => onError(error));
  }

  async function schedule(): Promise<void> {
    for (let shard = 0; shard < shards; shard++) {
      const template = { name: QUEUES.drain, data: { shard }, opts: TICK_OPTIONS };
      await drains.upsertJobScheduler(drainScheduler(shard), { every: TICKS_MS.drain }, template);
    }
    await sweeps.upsertJobScheduler(
      SWEEP_SCHEDULER,
      { every: TICKS_MS.sweep },
      { name: QUEUES.sweep, opts: TICK_OPTIONS },
    );
    await reconciliations.upsertJobScheduler(
      RECONCILE_SCHEDULER,
      { every: reconcileEveryMs },
      { name: QUEUES.reconcile, opts: TICK_OPTIONS },
    );
  }

  const watch = setInterval(() => {
    if (performance.now() - lastTickAt < SILENCE_MS) return;
    lastTickAt = performance.now();
    schedule().catch(onError);
  }, SILENCE_MS / 3);

  return {
    schedule,
    async close({ force }) {
      clearInterval(watch);
      const closed = Promise.all([drainer, sweeper, reconciler].map((worker) => worker.close(force)))
        .then(() => Promise.all(queues.map((queue) => queue.close())))
        .catch(onError);
      const tooLong = new AbortController();
      await Promise.race([closed, sleep(CLOSE_MS, undefined, { signal: tooLong.signal }).catch(() => undefined)]);
      tooLong.abort();
      // BullMQ closes only what it has made itself
      producer.disconnect();
      consumer.disconnect();
    },
  };
}

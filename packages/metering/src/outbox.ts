import type { Cluster, Redis } from 'ioredis';
import type { OutboxEntry } from './outbox-entry.ts';
import { shardKeys } from './quota/keys.ts';

/** Cost events of one shard on their way to the ledger, oldest first. */
export interface Outbox {
  /** The oldest entries, at most `limit`. Reading changes nothing: what is not removed is read again. */
  read(limit: number): Promise<readonly OutboxEntry[]>;
  /** Removes entries that the ledger has committed, in the order they were read, and moves the watermark to the last of them. */
  remove(entries: readonly OutboxEntry[]): Promise<void>;
  length(): Promise<number>;
}

export interface OutboxOptions {
  readonly redis: Redis | Cluster;
  readonly shard: number;
}

export function createOutbox({ redis, shard }: OutboxOptions): Outbox {
  const { outbox, watermark } = shardKeys(shard);
  return {
    async read(limit) {
      const entries = await redis.xrange(outbox, '-', '+', 'COUNT', limit);
      return entries.map(([streamId, flat]) => ({ shard, streamId, fields: toFields(flat) }));
    },

    async remove(entries) {
      const last = entries.at(-1);
      if (last === undefined) return;
      const ids = entries.map(({ streamId }) => streamId);
      const results = await redis
        .multi()
        .xdel(outbox, ...ids)
        .set(watermark, last.streamId)
        .exec();
      for (const [error] of results ?? []) if (error) throw error;
    },

    length: () => redis.xlen(outbox),
  };
}

function toFields(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
}

import type { Cluster, Redis } from 'ioredis';
import type { OutboxEntry } from './outbox-entry.ts';
import { shardKeys } from './quota/keys.ts';
import { loadScript, runScript } from './quota/scripts.ts';

/** Cost events of one shard on their way to the ledger, oldest first. */
export interface Outbox {
  /** The oldest entries `after` a position, at most `limit`. Reading changes nothing: what is not removed is read again. */
  read(limit: number, after?: string): Promise<readonly OutboxEntry[]>;
  /**
   * Removes entries that the ledger has committed, in the order they were read, moves the watermark to the last of them, and
   * counts those that are not counted yet, all in one step. One that is removed already is not counted again.
   */
  remove(entries: readonly OutboxEntry[], uncounted: readonly Uncounted[]): Promise<void>;
  length(): Promise<number>;
}

/** An entry of kind O that made a row of the ledger: no reservation was there to count it in its scopes. */
export interface Uncounted {
  readonly streamId: string;
  readonly scopes: readonly string[];
  readonly day: string;
  readonly month: string;
  readonly deltaNanoUsd: bigint;
}

export interface OutboxOptions {
  readonly redis: Redis | Cluster;
  readonly shard: number;
}

const REMOVE = loadScript('remove');

export function createOutbox({ redis, shard }: OutboxOptions): Outbox {
  const { outbox, watermark, scopePrefix } = shardKeys(shard);
  return {
    async read(limit, after) {
      const entries = await redis.xrange(outbox, after === undefined ? '-' : `(${after}`, '+', 'COUNT', limit);
      return entries.map(([streamId, flat]) => ({ shard, streamId, fields: toFields(flat) }));
    },

    async remove(entries, uncounted) {
      if (entries.length === 0) return;
      const scopes = [...new Set(uncounted.flatMap((each) => each.scopes))];
      const counts = uncounted.flatMap(({ streamId, scopes: its, day, month, deltaNanoUsd }) =>
        its.flatMap((scope) => [streamId, String(scopes.indexOf(scope) + 1), day, month, String(deltaNanoUsd)]),
      );
      await runScript(redis, REMOVE, {
        keys: [outbox, watermark, ...scopes.map((scope) => scopePrefix + scope)],
        args: [String(entries.length), ...entries.map(({ streamId }) => streamId), ...counts],
      });
    },

    length: () => redis.xlen(outbox),
  };
}

function toFields(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
}

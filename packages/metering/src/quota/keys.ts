/**
 * Names of all keys of one shard; the hash tag keeps them in one slot of a Redis Cluster, so that one script may use them.
 * Scopes and reservations are packed: only the scripts in `lua/` read them, and `shared.lua` says how.
 */
export interface ShardKeys {
  /** ZSET: request id → end of its lease. */
  readonly lease: string;
  /** STREAM of cost events that are not in the ledger yet. */
  readonly outbox: string;
  /** STRING: id of the last outbox entry that is in the ledger. */
  readonly watermark: string;
  /** What a scope's id follows. HASH: `w` window, counters and epoch, `s` older slots, `d:<yyyymmdd>` and `m:<yyyymm>` money, `e` and `c` how it was seeded and put right. */
  readonly scopePrefix: string;
  /** What a request id follows. STRING, with an end 24 h after the lease of a request that nobody has settled. */
  readonly reservationPrefix: string;
}

export function shardKeys(shard: number): ShardKeys {
  const prefix = `gw:{q${shard}}:`;
  return {
    lease: `${prefix}lease`,
    outbox: `${prefix}out`,
    watermark: `${prefix}wm`,
    scopePrefix: `${prefix}s:`,
    reservationPrefix: `${prefix}r:`,
  };
}

/** The shard of an organisation: 32-bit FNV-1a of its name. Must never change, nor `shards` while there is data. */
export function shardOf(org: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < org.length; index++) {
    hash = Math.imul(hash ^ org.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shards;
}

import { comparePositions } from '../stream-position.ts';
import type { Settlement } from './quota.ts';

/** More are kept by nobody: while the ledger is away for long, the store's own file has to do. */
const MOST = 20_000;

/** Settlements that the store has confirmed and the ledger does not have yet: the store could still lose them. Oldest first. */
export class Unconfirmed {
  readonly #kept = new Map<
    string,
    { readonly settlement: Settlement; readonly shard: number; readonly position: string }
  >();

  get size(): number {
    return this.#kept.size;
  }

  /** @param position of its event in the outbox of the shard */
  add(settlement: Settlement, shard: number, position: string): void {
    if (this.#kept.size >= MOST) for (const [oldest] of this.#kept.entries().take(1)) this.#kept.delete(oldest);
    this.#kept.set(settlement.requestId, { settlement, shard, position });
  }

  /** Shards that a settlement waits in. */
  shards(): ReadonlySet<number> {
    return new Set(this.#kept.values().map(({ shard }) => shard));
  }

  /** The ledger of a shard has all up to this position. */
  forget(shard: number, watermark: string): void {
    for (const [requestId, kept] of this.#kept) {
      if (kept.shard === shard && comparePositions(kept.position, watermark) <= 0) this.#kept.delete(requestId);
    }
  }

  settlements(): readonly Settlement[] {
    return Array.from(this.#kept.values(), ({ settlement }) => settlement);
  }
}

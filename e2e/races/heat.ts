import type { Dimension, Scope } from '@tokenhub/metering';

/** What the processes of a race ask for, all of them the same at the same time. */
export interface Heat {
  /** Is the organisation too, and no other heat's, so that none finds anything of another. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Of each request. */
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  /** Of each process, one request at a time each. */
  readonly callers: number;
  /** Requests of each process. */
  readonly reserves: number;
  /** When a granted request is settled, in milliseconds; absent: only by the order to settle. */
  readonly holdMs?: number;
}

/** What a process of the race is told to do. */
export interface Order {
  readonly kind: 'race' | 'settle';
  readonly heat: Heat;
}

/** What one process has seen. */
export interface Tally {
  readonly granted: number;
  readonly refused: Readonly<Partial<Record<Dimension, number>>>;
  /** Most requests of all processes together that were granted and not yet given back, as the store has counted them. */
  readonly mostHolders: number;
  /** What this process has settled. */
  readonly settledNanoUsd: bigint;
}

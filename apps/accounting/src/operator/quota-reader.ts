import { shardOf, type Counters, type Quota } from '@tokenhub/metering';

/** What scopes have used. */
export type QuotaReader = Pick<Quota, 'read'>;

export interface QuotaReaderOptions {
  readonly quota: Pick<Quota, 'read'>;
  readonly counters: Pick<Counters, 'seed'>;
  readonly shards: number;
}

/** A scope that the store does not know is counted from the ledger before it is shown, as it would be before it is used. */
export function createQuotaReader({ quota, counters, shards }: QuotaReaderOptions): QuotaReader {
  return {
    async read(scope, org) {
      // Without the ledger, what the store has counted is all that can be shown
      await counters.seed(shardOf(org, shards), scope).catch(() => {});
      return quota.read(scope, org);
    },
  };
}

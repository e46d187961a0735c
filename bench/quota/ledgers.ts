import { openLedger } from '@tokenhub/metering';
import { startBenchPostgres } from '../targets.ts';
import type { Store } from './quota-bench.ts';

/** A new and empty ledger. */
export interface BenchLedger {
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

export interface LedgerKind {
  readonly name: string;
  /** Undefined where it is not installed. */
  start(store: Store): Promise<BenchLedger | undefined>;
}

/** The kinds of ledgers that there are, the default one first. */
export const LEDGER_KINDS: readonly LedgerKind[] = [
  {
    name: 'PostgreSQL',
    async start() {
      const server = await startBenchPostgres();
      return server && { databaseUrl: server.url, stop: () => server.stop() };
    },
  },
  {
    name: 'SQLite',
    start: async ({ directory }) => ({ databaseUrl: `sqlite:${directory}/ledger.sqlite`, stop: async () => {} }),
  },
];

/** @throws Error when the ledger has not exactly so many requests, or anything that could not be read. */
export async function expectRequests({ databaseUrl }: BenchLedger, count: number): Promise<void> {
  const ledger = openLedger(databaseUrl, { readOnly: true });
  try {
    const groups = await ledger.usage({ groupBy: 'day' });
    const requests = groups.reduce((sum, group) => sum + group.requests, 0);
    const deadLetters = await ledger.countDeadLetters();
    if (requests !== count || deadLetters > 0) {
      throw new Error(`${requests} requests of ${count} are in the ledger, and ${deadLetters} dead letters`);
    }
  } finally {
    await ledger.close();
  }
}

import type { Ledger, LedgerEntry } from '@tokenhub/metering';

/** The ledger as the gateway reads it. */
export interface LedgerReader {
  find(requestId: string): Promise<readonly LedgerEntry[]>;
  close(): Promise<void>;
}

/** Opens the ledger when it is first asked for: accounting makes it, and may start later than the gateway. */
export function createLazyLedger(open: () => Ledger): LedgerReader {
  let ledger: Ledger | undefined;
  return {
    async find(requestId) {
      try {
        ledger ??= open();
      } catch {
        // Nothing has been written yet.
        return [];
      }
      return ledger.find(requestId);
    },
    close: async () => ledger?.close(),
  };
}

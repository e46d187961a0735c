import { formatUsd, GatewayError } from '@tokenhub/core';
import type { Counters, Ledger, LedgerEntry } from '@tokenhub/metering';
import { answered } from './answered.ts';

export interface CorrectionDesk {
  /**
   * Changes what a request has cost, once. Its scopes count it at once, the row is in the ledger within 2 s.
   * @throws GatewayError `not_found`, `conflict` when it was corrected before, `invalid_parameter` when less than nothing would be left
   */
  correct(requestId: string, deltaNanoUsd: bigint): Promise<LedgerEntry>;
}

export interface CorrectionDeskOptions {
  readonly ledger: Pick<Ledger, 'find'>;
  readonly counters: Pick<Counters, 'adjust'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const NO_ANSWER = 'The quota store did not answer in time. Try again.';

export function createCorrectionDesk({ ledger, counters, now }: CorrectionDeskOptions): CorrectionDesk {
  return {
    async correct(requestId, deltaNanoUsd) {
      const rows = await ledger.find(requestId);
      const [terminal] = rows;
      if (terminal?.kind !== 'T') throw new GatewayError('not_found', 'The ledger has no request of this id.');
      if (rows.some(({ kind }) => kind === 'R')) throw corrected();
      const cost = rows.reduce((sum, row) => sum + row.deltaNanoUsd, 0n);
      if (cost + deltaNanoUsd < 0n) {
        const message = `delta_usd must leave nothing less than 0: the request has cost ${formatUsd(cost)} USD.`;
        throw new GatewayError('invalid_parameter', message, { param: 'delta_usd' });
      }
      if (!(await answered(counters.adjust(terminal, deltaNanoUsd), NO_ANSWER))) throw corrected();
      return { ...terminal, kind: 'R', deltaNanoUsd, createdAt: now() };
    },
  };
}

function corrected(): GatewayError {
  return new GatewayError('conflict', 'This request was corrected already; each request can be once.');
}

const BRAND = Symbol.for('tokenhub.LedgerRefusal');

/**
 * The database will never take an entry: a figure does not fit its column, a text cannot be stored. Anything else that
 * goes wrong in a ledger says nothing of the entries, which are then to be tried again, however long that takes.
 */
export class LedgerRefusal extends Error {
  readonly [BRAND] = true;
  override readonly name = 'LedgerRefusal';
}

/** True for a {@link LedgerRefusal}, also one of another copy of this package in the same process. */
export function isLedgerRefusal(error: unknown): error is LedgerRefusal {
  return typeof error === 'object' && error !== null && BRAND in error;
}

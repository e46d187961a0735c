import { number } from '../report.ts';

/** One figure of quotas or of the way from the outbox to the ledger. */
export interface QuotaFigure {
  /** Which measurement, in the words of the table. */
  readonly name: string;
  /** What the value is, its unit at the end: `p99, ms`. */
  readonly what: string;
  readonly value: number;
  /** What the value must be; absent where nothing was promised. */
  readonly gate?: Bound;
  /** What it should be. */
  readonly goal?: Bound;
  /** What else was seen. */
  readonly also: string;
}

export type Bound = { readonly atMost: number } | { readonly atLeast: number };

export const QUOTA_HEADER = ['Quota', 'What', 'Figure', 'Gate', 'Goal', 'Also'];

export function toQuotaRow({ name, what, value, gate, goal, also }: QuotaFigure): string[] {
  return [name, what, number(value), describe(value, gate), describe(value, goal), also];
}

/** True when a gate is not met; a value that is no number was not measured at all. */
export function missesGate({ value, gate }: QuotaFigure): boolean {
  return gate !== undefined && !isWithin(value, gate);
}

function describe(value: number, bound: Bound | undefined): string {
  if (bound === undefined) return '–';
  const text = 'atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast.toLocaleString('en')}`;
  return `${text} ${isWithin(value, bound) ? 'met' : 'missed'}`;
}

function isWithin(value: number, bound: Bound): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}

import { number } from '../report.ts';

/** One measured answer to a fault. */
export interface FaultFigure {
  /** Which fault, in the words of the table. */
  readonly fault: string;
  readonly value: number;
  /** What the value is, its unit at the end: `p99, ms`. */
  readonly what: string;
  /** What the value may be at most; absent where nothing was promised. */
  readonly gate?: number;
  /** What it should be at most. */
  readonly goal?: number;
  /** What else was seen. */
  readonly also: string;
}

export const FAULT_HEADER = ['Fault', 'What', 'Figure', 'Gate', 'Goal', 'Also'];

export function toFaultRow({ fault, value, what, gate, goal, also }: FaultFigure): string[] {
  return [fault, what, number(value), toBound(value, gate), toBound(value, goal), also];
}

/** True when more was measured than may be; a value that is no number was not measured at all. */
export function missesGate({ value, gate }: FaultFigure): boolean {
  return gate !== undefined && !(value <= gate);
}

function toBound(value: number, bound: number | undefined): string {
  if (bound === undefined) return '–';
  return `≤ ${bound} ${value <= bound ? 'met' : 'missed'}`;
}

import type { Answer } from '../connection.ts';
import { RateLoad } from '../load.ts';

/** What became of one request. */
export interface Outcome {
  /** When it was due, by `performance.now()`. */
  readonly sentAtMs: number;
  /** 0 when the connection broke. */
  readonly status: number;
  readonly isGood: boolean;
  /** Milliseconds until the first byte; the answers asked for here are short and come at once. */
  readonly answeredInMs: number;
}

export interface Offer {
  readonly request: Uint8Array;
  readonly check: (answer: Answer) => string | undefined;
  readonly perSecond: number;
  readonly durationMs: number;
}

/** So many that no request waits for a connection. */
const CONNECTIONS = 400;

/** Offers requests at a fixed rate, whatever becomes of them. */
export async function offer(port: number, { request, check, perSecond, durationMs }: Offer): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const load = new RateLoad(port, CONNECTIONS);
  const record = (answer: Answer): string | undefined => {
    const { status, firstByteMs: answeredInMs } = answer;
    const problem = check(answer);
    outcomes.push({ sentAtMs: performance.now() - answeredInMs, status, isGood: problem === undefined, answeredInMs });
    return problem;
  };
  await load.run({ request, check: record }, { perSecond, durationMs });
  load.close();
  return outcomes.toSorted((a, b) => a.sentAtMs - b.sentAtMs);
}

/** How many answers had which status, most frequent first: `1,990 × 503, 10 × 502`; empty without any. */
export function countStatuses(outcomes: readonly Outcome[]): string {
  const counts = new Map<number, number>();
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1);
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([status, count]) => `${count.toLocaleString('en')} × ${status || 'broken'}`).join(', ');
}

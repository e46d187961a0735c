import { runMicroFile } from '../run-micro.ts';
import type { QuotaFigure } from './quota-figure.ts';

const ROW = 'reserve + settle, three scopes';

/** Reserve and settle with three scopes of five limits each, 50 at a time, from one process: the micro-benchmark's figure and its gate. */
export async function measurePairs(): Promise<QuotaFigure[]> {
  const rows = await runMicroFile('quota');
  const valueOf = (name: string): number => rows.find((row) => row.name === name)?.value ?? Number.NaN;
  return [
    {
      name: 'pairs: reserve + settle, 3 scopes × 5 limits',
      what: 'pairs a second',
      value: valueOf(ROW),
      gate: { atLeast: 3_000 },
      goal: { atLeast: 6_000 },
      also: `of CPU per pair Node ${valueOf(`${ROW}, Node CPU`).toFixed(0)} µs, Redis ${valueOf(`${ROW}, Redis CPU`).toFixed(0)} µs`,
    },
  ];
}

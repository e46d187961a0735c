import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toTable } from '../report.ts';
import { measureAmplification } from './amplification.ts';
import { measureCancel } from './cancel.ts';
import { startFaultBench, type FaultBench } from './fault-bench.ts';
import { FAULT_HEADER, missesGate, toFaultRow, type FaultFigure } from './fault-figure.ts';
import { measureRecovery } from './recovery.ts';
import { measureStalled } from './stalled.ts';

interface FaultMeasurement {
  readonly name: string;
  readonly title: string;
  readonly measure: (bench: FaultBench) => Promise<FaultFigure[]>;
}

/** What is measured of the gateway's behaviour under faults; the names are those of `--only`. */
export const FAULTS: readonly FaultMeasurement[] = [
  { name: 'cancel', title: 'from a caller that leaves to the provider', measure: measureCancel },
  { name: 'stalled', title: 'memory of callers that never read', measure: measureStalled },
  { name: 'recovery', title: 'from healing to serving', measure: measureRecovery },
  { name: 'amplification', title: 'calls to failing providers per request', measure: measureAmplification },
];

export interface FaultResults {
  readonly table: string;
  /** A line for each figure above its gate. */
  readonly missed: readonly string[];
}

/** Runs those that are wanted, one after the other, and tells `print` how they go. */
export async function runFaults(
  wanted: (name: string) => boolean,
  isQuick: boolean,
  print: (text: string) => void,
): Promise<FaultResults> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenhub-faults-'));
  const bench = await startFaultBench(directory, isQuick);
  const figures: FaultFigure[] = [];
  try {
    for (const { name, title, measure } of FAULTS.filter((fault) => wanted(fault.name))) {
      print(`${name}: ${title} …\n`);
      for (const figure of await measure(bench)) {
        figures.push(figure);
        print(`  ${toFaultRow(figure).join(' · ')}\n`);
      }
    }
  } finally {
    await bench.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return {
    table: toTable(FAULT_HEADER, figures.map(toFaultRow)),
    missed: figures
      .filter(missesGate)
      .map(({ fault, what, value, gate }) => `${fault}: ${what}: ${value}, gate ${gate}`),
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toTable } from '../report.ts';
import { watchCores } from '../watch-cores.ts';
import { measureAdmission } from './admission.ts';
import { measureBacklog } from './backlog.ts';
import { measureDrain } from './drain.ts';
import { measureLag } from './lag.ts';
import { measureManyKeys } from './many-keys.ts';
import { measurePairs } from './pairs.ts';
import { createQuotaBench, type QuotaBench } from './quota-bench.ts';
import { missesGate, QUOTA_HEADER, toQuotaRow, type QuotaFigure } from './quota-figure.ts';

interface QuotaMeasurement {
  readonly name: string;
  readonly title: string;
  readonly measure: (bench: QuotaBench) => Promise<QuotaFigure[]>;
}

/** What is measured of quotas and of the way to the ledger; the names are those of `--only`. */
export const QUOTAS: readonly QuotaMeasurement[] = [
  { name: 'pairs', title: 'reserve and settle, as fast as it goes', measure: measurePairs },
  { name: 'admission', title: 'how long a reservation takes at 500 a second', measure: measureAdmission },
  { name: 'keys', title: '100,000 keys: memory, and admission', measure: measureManyKeys },
  { name: 'drain', title: 'from a full outbox into each ledger', measure: measureDrain },
  { name: 'lag', title: 'from settlement to the ledger at 500 a second', measure: measureLag },
  { name: 'backlog', title: 'a long outbox and new requests', measure: measureBacklog },
];

export interface QuotaResults {
  readonly table: string;
  /** A line for each figure that does not meet its gate. */
  readonly missed: readonly string[];
}

/** Runs those that are wanted, one after the other, and tells `print` how they go. */
export async function runQuotas(
  wanted: (name: string) => boolean,
  isQuick: boolean,
  print: (text: string) => void,
): Promise<QuotaResults> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenhub-quotas-'));
  const bench = createQuotaBench(directory, isQuick);
  const figures: QuotaFigure[] = [];
  try {
    for (const { name, title, measure } of QUOTAS.filter((quota) => wanted(quota.name))) {
      print(`${name}: ${title} …\n`);
      const others = await describeOthers();
      for (const measured of await measure(bench)) {
        const figure = { ...measured, also: [measured.also, others].filter(Boolean).join('; ') };
        figures.push(figure);
        print(`  ${toQuotaRow(figure).join(' · ')}\n`);
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return {
    table: toTable(QUOTA_HEADER, figures.map(toQuotaRow)),
    missed: figures.filter(missesGate).map((figure) => toQuotaRow(figure).slice(0, 4).join(' · ')),
  };
}

const WATCH_MS = 1_000;
/** Of all cores: above that a figure says more about the others than about us. */
const QUIET_SHARE = 0.1;

/** How much of the machine others take before we begin; empty when that is next to nothing. */
async function describeOthers(): Promise<string> {
  const readShare = watchCores();
  await sleep(WATCH_MS);
  const share = readShare();
  return share > QUIET_SHARE ? `others took ${(100 * share).toFixed(0)} % of the machine just before` : '';
}

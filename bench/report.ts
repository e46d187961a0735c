import type { Round } from './measure.ts';
import type { MicroRow } from './run-micro.ts';
import type { Scenario } from './scenarios.ts';
import { median } from './statistics.ts';

/** A markdown table, aligned so that it also reads well in a terminal. */
export function toTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

export const SCENARIO_HEADER = [
  'Scenario',
  'nginx, µs',
  'gateway, µs',
  'ratio',
  'cores',
  'first byte p50, p99: nginx',
  'gateway',
  'whole answers',
];

/** One row: medians over the rounds; the ratio is the median of each round's own ratio. */
export function toScenarioRow(scenario: Scenario, rounds: readonly Round[]): string[] {
  const of = (target: string): Round[] => rounds.filter((round) => round.target === target);
  const [nginx, gateway] = [of('nginx'), of('gateway')];
  const ratios = gateway.map((round, index) => round.cpuUs / (nginx[index]?.cpuUs ?? Number.NaN));
  const asked = rounds.reduce((sum, round) => sum + round.requests, 0);
  const failed = rounds.reduce((sum, round) => sum + round.failures.length, 0);
  const unit = scenario.kind === 'rate' ? 'request' : 'event';
  return [
    `${scenario.name}: ${scenario.title} (per ${unit})`,
    number(median(nginx.map((round) => round.cpuUs))),
    number(median(gateway.map((round) => round.cpuUs))),
    median(ratios).toFixed(2),
    median(gateway.map((round) => round.cores)).toFixed(2),
    firstByte(nginx),
    firstByte(gateway),
    failed === 0 ? `all ${asked}` : `${asked - failed} of ${asked}`,
  ];
}

/** What the target adds to the first byte, against the simulator itself in the same rounds. */
export function toAddedLatency(rounds: readonly Round[], target: string): string {
  const of = (name: string, read: (round: Round) => number): number =>
    median(rounds.filter((round) => round.target === name).map(read));
  const p50 = of(target, (round) => round.firstByteP50Ms) - of('simulator', (round) => round.firstByteP50Ms);
  const p99 = of(target, (round) => round.firstByteP99Ms) - of('simulator', (round) => round.firstByteP99Ms);
  return `${p50.toFixed(2)} ms, ${p99.toFixed(2)} ms`;
}

export function toMicroRows(results: ReadonlyMap<string, readonly MicroRow[]>): string[][] {
  return [...results].flatMap(([file, rows]) =>
    rows.map(({ name, value, unit, ratio }) => [file, name, `${number(value)} ${unit}`, ratio?.toFixed(2) ?? '']),
  );
}

export function number(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

function firstByte(rounds: readonly Round[]): string {
  const p50 = median(rounds.map((round) => round.firstByteP50Ms));
  const p99 = median(rounds.map((round) => round.firstByteP99Ms));
  return `${p50.toFixed(2)} ms, ${p99.toFixed(2)} ms`;
}

/**
 * Measures the gateway against nginx in one run and prints tables: `node bench/run.ts --help`. What the figures mean and how they
 * are taken stands in README.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FAULTS, runFaults } from './faults/run-faults.ts';
import { measureMemory, measureRate, measureStreams, type Round, type Timing } from './measure.ts';
import { readProcessUsage } from './process-usage.ts';
import { readProfile } from './read-profile.ts';
import { QUOTAS, runQuotas } from './quota/run-quota.ts';
import { number, SCENARIO_HEADER, toAddedLatency, toMicroRows, toScenarioRow, toTable } from './report.ts';
import { runMicro } from './run-micro.ts';
import { SCENARIOS, type RateScenario, type StreamsScenario } from './scenarios.ts';
import { startAccounting, startBenchRedis, startGateway, startNginx, startSimulator, type Target } from './targets.ts';

const HELP = `Usage: node bench/run.ts [--quick] [--only NAMES] [--profile NAME] [--write]

Measures what the gateway costs in CPU, memory and time, against nginx relaying the same, how it bears faults, and how fast
quotas and the ledger are.

  --quick          short rounds: good for a first look, not for a claim
  --only NAMES     some of ${SCENARIOS.map(({ name }) => name).join(', ')}, memory,
                   ${FAULTS.map(({ name }) => name).join(', ')},
                   ${QUOTAS.map(({ name }) => name).join(', ')}, micro
  --profile NAME   runs that scenario with --cpu-prof and lists what took the time
  --write          puts the figures into bench/README.md
  --help           this text
`;

const FULL: Timing = { rounds: 4, windowMs: 3_000, primeMs: 12_000 };
const QUICK: Timing = { rounds: 3, windowMs: 1_500, primeMs: 2_000 };

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    profile: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) print(HELP);
else await main();

async function main(): Promise<void> {
  const only = values.profile === undefined ? values.only?.split(',') : [values.profile];
  const wanted = (name: string): boolean => only === undefined || only.includes(name);
  const sections = [`Node ${process.version}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}`];
  const compared = [...SCENARIOS.map(({ name }) => name), 'memory'];
  const known = [...compared, ...FAULTS.map(({ name }) => name), ...QUOTAS.map(({ name }) => name), 'micro'];
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: not among ${known.join(', ')}`);
  const needsNginx = compared.some(wanted);
  if (needsNginx && !isNginxOnPath()) {
    print('nginx is not on PATH: the scenarios are left out, since without it there is nothing to compare with.\n');
  } else if (needsNginx) {
    const directory = await mkdtemp(join(tmpdir(), 'tokenhub-bench-'));
    try {
      sections.push(...(await runScenarios(directory, wanted)));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  if (FAULTS.some(({ name }) => wanted(name))) {
    const { table, missed } = await runFaults(wanted, values.quick, print);
    sections.push(table);
    for (const line of missed) {
      process.exitCode = 1;
      print(`above its gate: ${line}\n`);
    }
  }
  if (QUOTAS.some(({ name }) => wanted(name))) {
    const { table, missed } = await runQuotas(wanted, values.quick, print);
    sections.push(table);
    for (const line of missed) {
      process.exitCode = 1;
      print(`gate not met: ${line}\n`);
    }
  }
  if (wanted('micro')) {
    print('micro-benchmarks …\n');
    const { rows, failures } = await runMicro();
    sections.push(toTable(['File', 'What', 'Median', 'Ratio'], toMicroRows(rows)));
    for (const [file, message] of failures) {
      process.exitCode = 1;
      print(`micro/${file}.ts failed: ${message}\n`);
    }
  }
  print(`\n${sections.join('\n\n')}\n`);
  if (values.write) await writeReadme(sections.join('\n\n'));
}

async function runScenarios(directory: string, wanted: (name: string) => boolean): Promise<string[]> {
  const timing = values.quick ? QUICK : FULL;
  const profileDir = values.profile === undefined ? undefined : await mkdtemp(join(tmpdir(), 'tokenhub-profile-'));
  const redis = await startBenchRedis(directory);
  const simulator = await startSimulator();
  const nginx = await startNginx(simulator.port, directory);
  const gatewayOptions = { simulatorPort: simulator.port, redisUrl: redis.url, directory };
  const gateway = await startGateway({ ...gatewayOptions, profileDir });
  const accounting = await startAccounting(redis.url, directory);
  const running = [gateway, accounting, nginx, simulator, redis];
  const sections: string[] = [];
  try {
    if (accounting === undefined) print('The accounting process has not been built; cost events stay in Redis.\n');
    const targets = [simulator, nginx, gateway];
    const rows: string[][] = [];
    const all: Round[] = [];
    await warmUp(targets, timing);
    const costBefore = costOf([redis.pid, accounting?.pid]);
    for (const scenario of SCENARIOS.filter(({ name }) => wanted(name))) {
      print(`${scenario.name}: ${scenario.title} …\n`);
      const rounds =
        scenario.kind === 'rate'
          ? await measureRate(scenario, pick(targets, scenario.targets), timing)
          : await measureStreams(scenario, [nginx, gateway], timing);
      rows.push(toScenarioRow(scenario, rounds));
      if (scenario.name === 'first-byte') sections.push(addedLatency(rounds));
      all.push(...rounds);
      print(`  ${rows.at(-1)?.slice(1).join(' · ')}\n`);
    }
    if (rows.length > 0) sections.unshift(toTable(SCENARIO_HEADER, rows));
    const requests = all.filter(({ target }) => target === 'gateway').reduce((sum, round) => sum + round.requests, 0);
    if (requests > 0) {
      await sleep(3_000); // the last cost events are still on their way
      const costs = costOf([redis.pid, accounting?.pid]).map(
        (cost, index) => (cost - (costBefore[index] ?? 0)) / requests,
      );
      sections.push(
        `Beside the gateway, per request: Redis ${number(costs[0] ?? 0)} µs, accounting ${number(costs[1] ?? 0)} µs.`,
      );
    }
    reportFailures(all);
    if (wanted('memory')) sections.push(await runMemory({ ...gatewayOptions, nginxDirectory: directory }));
  } finally {
    for (const target of running) await target?.stop();
  }
  if (profileDir !== undefined) sections.push((await readProfile(profileDir, 30)).join('\n'));
  return sections;
}

/** The compiler takes thousands of requests to settle; what it costs belongs to no scenario. */
async function warmUp(targets: readonly Target[], timing: Timing): Promise<void> {
  print('warming up …\n');
  for (const scenario of SCENARIOS) {
    if (scenario.kind !== 'rate' || !['S1', 'S2'].includes(scenario.name)) continue;
    await measureRate(scenario, pick(targets, scenario.targets), { ...timing, rounds: 1, windowMs: timing.primeMs });
  }
}

async function runMemory(options: Parameters<typeof startGateway>[0] & { nginxDirectory: string }): Promise<string> {
  print('memory per stream, fresh processes …\n');
  const scenario = SCENARIOS.find((each): each is StreamsScenario => each.name === (values.quick ? 'S3' : 'S4'));
  const prime = SCENARIOS.find((each): each is RateScenario => each.name === 'S2');
  if (scenario === undefined || prime === undefined) throw new Error('the scenarios of the memory test are gone');
  const rows: string[][] = [];
  for (const start of [() => startNginx(options.simulatorPort, options.nginxDirectory), () => startGateway(options)]) {
    const target = await start();
    const { idleBytes, bytesPerStream } = await measureMemory(scenario, target, prime);
    rows.push([target.name, `${number(idleBytes / 1e6)} MB`, `${number(bytesPerStream / 1e3)} kB`]);
    await target.stop();
  }
  return toTable(['Memory', 'primed and idle', `per stream, ${scenario.streams} open`], rows);
}

function addedLatency(rounds: readonly Round[]): string {
  const rows = ['nginx', 'gateway'].map((target) => [target, toAddedLatency(rounds, target)]);
  return toTable(['First byte added, one connection', 'p50, p99'], rows);
}

function reportFailures(rounds: readonly Round[]): void {
  for (const { target, failures } of rounds) {
    if (failures.length === 0) continue;
    process.exitCode = 1;
    print(`${target}: ${failures.length} answers were not whole, the first: ${failures[0]}\n`);
  }
}

function costOf(pids: readonly (number | undefined)[]): number[] {
  return pids.map((pid) => (pid === undefined ? 0 : readProcessUsage(pid).cpuUs));
}

function pick(targets: readonly Target[], names: readonly string[]): Target[] {
  return targets.filter(({ name }) => names.includes(name));
}

function isNginxOnPath(): boolean {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function writeReadme(figures: string): Promise<void> {
  const path = join(import.meta.dirname, 'README.md');
  const text = await readFile(path, 'utf8');
  const [before = '', rest = ''] = text.split('<!-- figures -->');
  const after = rest.split('<!-- end of figures -->')[1] ?? '';
  await writeFile(path, `${before}<!-- figures -->\n\n${figures}\n\n<!-- end of figures -->${after}`);
}

function print(text: string): void {
  process.stdout.write(text);
}

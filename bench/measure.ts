import { RateLoad, runStreams, type LoadResult } from './load.ts';
import { readProcessUsage } from './process-usage.ts';
import type { RateScenario, StreamsScenario } from './scenarios.ts';
import { percentile } from './statistics.ts';
import type { Target } from './targets.ts';

/** What one round showed of one target. */
export interface Round {
  readonly target: string;
  /** CPU of the target's process tree per request or per event. */
  readonly cpuUs: number;
  /** CPU time per time of the window: how many cores it took. */
  readonly cores: number;
  readonly firstByteP50Ms: number;
  readonly firstByteP99Ms: number;
  readonly requests: number;
  readonly failures: readonly string[];
}

export interface Timing {
  readonly rounds: number;
  readonly windowMs: number;
  readonly primeMs: number;
}

const SETTLE_MS = 1_000;

/** Runs the targets in turns, in the other order every second round, each primed once before. */
export async function measureRate(
  scenario: RateScenario,
  targets: readonly Target[],
  { rounds, windowMs, primeMs }: Timing,
): Promise<Round[]> {
  const { perSecond, connections } = scenario;
  const loads = targets.map((target) => new RateLoad(target.port, connections));
  const taken: Round[] = [];
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? targets.entries() : targets.entries().toArray().toReversed();
    for (const [index, target] of order) {
      const before = readProcessUsage(target.pid).cpuUs;
      const startedAt = performance.now();
      const task = scenario.task(toTargetName(target));
      const durationMs = round < 0 ? primeMs : windowMs;
      const result = await loads[index]?.run(task, { perSecond, durationMs });
      const cpuUs = readProcessUsage(target.pid).cpuUs - before;
      if (round < 0 || result === undefined) continue;
      const elapsedMs = performance.now() - startedAt;
      taken.push(toRound(target, result, { cpuUs, elapsedMs, units: result.answered }));
    }
  }
  for (const load of loads) load.close();
  return taken;
}

/** Like {@link measureRate} for streams; each round opens its own connections. */
export async function measureStreams(
  scenario: StreamsScenario,
  targets: readonly Target[],
  { rounds, windowMs }: Timing,
): Promise<Round[]> {
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
      const { result, cpuUs } = await runWindow(scenario, target, windowMs);
      taken.push(toRound(target, result, { cpuUs, elapsedMs: windowMs, units: result.events }));
    }
  }
  return taken;
}

/** Memory that one more open stream takes: a fresh process, primed, before and while all streams are open. */
export async function measureMemory(
  scenario: StreamsScenario,
  target: Target,
  prime: RateScenario,
): Promise<{ idleBytes: number; bytesPerStream: number }> {
  const load = new RateLoad(target.port, prime.connections);
  await load.run(prime.task(toTargetName(target)), { perSecond: prime.perSecond, durationMs: 2_000 });
  load.close();
  const idleBytes = readProcessUsage(target.pid).rssBytes;
  const { rssBytes } = await runWindow(scenario, target, 2_000);
  return { idleBytes, bytesPerStream: (rssBytes - idleBytes) / scenario.streams };
}

async function runWindow(scenario: StreamsScenario, target: Target, windowMs: number) {
  const { streams, rampMs, paceMs } = scenario;
  const task = scenario.task(rampMs + SETTLE_MS + windowMs + 2 * paceMs);
  const usages: ReturnType<typeof readProcessUsage>[] = [];
  const result = await runStreams(
    task,
    { port: target.port, streams, rampMs, settleMs: SETTLE_MS, windowMs },
    () => void usages.push(readProcessUsage(target.pid)),
  );
  const [before, after] = usages;
  if (before === undefined || after === undefined) throw new Error('the window was not measured');
  return { result, cpuUs: after.cpuUs - before.cpuUs, rssBytes: after.rssBytes };
}

function toRound(
  target: Target,
  { answered, failures, firstBytesMs }: LoadResult,
  { cpuUs, elapsedMs, units }: { cpuUs: number; elapsedMs: number; units: number },
): Round {
  return {
    target: target.name,
    cpuUs: cpuUs / units,
    cores: cpuUs / elapsedMs / 1_000,
    firstByteP50Ms: percentile(firstBytesMs, 0.5),
    firstByteP99Ms: percentile(firstBytesMs, 0.99),
    requests: answered,
    failures,
  };
}

function toTargetName({ name }: Target): 'simulator' | 'nginx' | 'gateway' {
  return name === 'simulator' || name === 'nginx' ? name : 'gateway';
}

import { setTimeout as sleep } from 'node:timers/promises';
import { checkOpenai } from '../scenarios.ts';
import { percentile } from '../statistics.ts';
import { toConfiguration } from '../targets.ts';
import { prime, streamRequest, type FaultBench } from './fault-bench.ts';
import type { FaultFigure } from './fault-figure.ts';
import { offer } from './offer.ts';
import { toRecoverySeconds } from './recovery-time.ts';

interface Outage {
  readonly name: string;
  readonly title: string;
  readonly directives: string;
  readonly lastsMs: number;
}

const PER_SECOND = 20;
const TOKENS = 5;
const HEALTHY_MS = 3_000;
/** For outages that are silent; the others are to be told by their answers, on a busy machine too. */
const FIRST_EVENT_MS = 300;

const SILENT = 'fault=silent';

const OUTAGES: readonly Outage[] = [
  { name: 'r-503', title: '503 for 20 s', directives: 'status=503', lastsMs: 20_000 },
  { name: 'r-silent', title: 'silent for 20 s', directives: SILENT, lastsMs: 20_000 },
  // Healed when the longest rest of a breaker has just begun.
  { name: 'r-longest', title: '503 for 37 s', directives: 'status=503', lastsMs: 37_000 },
];
const QUICK_OUTAGES: readonly Outage[] = [
  { name: 'r-503', title: '503 for 8 s', directives: 'status=503', lastsMs: 8_000 },
  { name: 'r-silent', title: 'silent for 8 s', directives: SILENT, lastsMs: 8_000 },
];

/**
 * Both deployments of a model fail, then serve again: seconds until callers notice the latter. Each outage has a gateway,
 * a model and two providers of its own, and 20 requests a second are little, so all run side by side.
 */
export async function measureRecovery(bench: FaultBench): Promise<FaultFigure[]> {
  // Primed in turns, for that is no little load.
  const primed = [];
  for (const outage of bench.isQuick ? QUICK_OUTAGES : OUTAGES) {
    const gateway = await bench.startGateway(twoDeployments(bench.simulator.url, outage));
    primed.push({ outage, gateway });
    await prime(gateway, { model: outage.name, perSecond: 100 });
  }
  try {
    return await Promise.all(primed.map(({ outage, gateway }) => recover(bench, outage, gateway.port)));
  } finally {
    for (const { gateway } of primed) await gateway.stop();
  }
}

async function recover({ simulator, isQuick }: FaultBench, outage: Outage, port: number): Promise<FaultFigure> {
  const { name, title, directives, lastsMs } = outage;
  const watchedMs = isQuick ? 20_000 : 40_000;
  const outcomesCome = offer(port, {
    request: streamRequest(`[simulate tokens=${TOKENS}]`, { model: name }),
    check: checkOpenai(TOKENS),
    perSecond: PER_SECOND,
    durationMs: HEALTHY_MS + lastsMs + watchedMs,
  });
  await sleep(HEALTHY_MS);
  const failedAtMs = performance.now();
  simulator.impose(`/sim/label=${name}-`, directives);
  await sleep(lastsMs);
  simulator.impose(`/sim/label=${name}-`, undefined);
  const healedAtMs = performance.now();
  const outcomes = await outcomesCome;

  const failed = outcomes.filter(({ isGood }) => !isGood);
  const early = failed.filter(({ sentAtMs }) => sentAtMs < failedAtMs).length;
  const during = failed.filter(({ sentAtMs }) => sentAtMs >= failedAtMs && sentAtMs < healedAtMs);
  const waits = percentile(
    during.map(({ answeredInMs }) => answeredInMs),
    0.99,
  );
  const also = `${failed.length - during.length - early} failed after healing; errors of the outage p99 ${waits.toFixed(1)} ms`;
  return {
    fault: `recovery: ${title}`,
    what: 'until 95 % succeed, s',
    value: toRecoverySeconds(outcomes, healedAtMs),
    gate: 35,
    goal: 15,
    also: early === 0 ? also : `${also}; ${early} failed before it`,
  };
}

function twoDeployments(simulatorUrl: string, { name, directives }: Outage): unknown {
  const ids = [`${name}-a`, `${name}-b`];
  const timeouts = directives === SILENT ? { first_event_ms: FIRST_EVENT_MS } : {};
  return toConfiguration(
    ids.map((id) => ({
      id,
      type: 'openai',
      base_url: `${simulatorUrl}/sim/label=${id}/openai/v1`,
      timeouts,
    })),
    [{ id: name, deployments: ids.map((provider) => ({ provider, model: 'sim-openai' })) }],
  );
}

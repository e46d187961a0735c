import { checkOpenai } from '../scenarios.ts';
import { percentile } from '../statistics.ts';
import { toConfiguration } from '../targets.ts';
import { prime, streamRequest, type FaultBench } from './fault-bench.ts';
import type { FaultFigure } from './fault-figure.ts';
import { countStatuses, offer, type Outcome } from './offer.ts';

interface Trouble {
  readonly name: string;
  readonly title: string;
  readonly directives: string;
  /** Which deployments are tried, and fail: all there are, or the only one of its model. */
  readonly places: 'all' | 'one';
}

const SILENT = 'fault=silent';

const TROUBLES: readonly Trouble[] = [
  { name: 'a-503', title: 'all answer 503', directives: 'status=503', places: 'all' },
  { name: 'a-silent', title: 'all are silent', directives: SILENT, places: 'all' },
  {
    name: 'a-flapping',
    title: 'the only one fails by turns',
    directives: 'every=2,status=503',
    places: 'one',
  },
];

const PER_SECOND = 100;
const TOKENS = 5;
/** For outages that are silent; the others are to be told by their answers, on a busy machine too. */
const FIRST_EVENT_MS = 300;

/**
 * How many calls the provider gets for each request that is offered: when none can be served, whoever is tried; and when
 * every second call to the only deployment fails. The process is primed on another model, so that what is tried has no past.
 */
export async function measureAmplification(bench: FaultBench): Promise<FaultFigure[]> {
  const figures: FaultFigure[] = [];
  for (const trouble of TROUBLES) {
    const gateway = await bench.startGateway(toPlaces(bench.simulator.url, trouble));
    try {
      await prime(gateway, { model: otherOf(trouble.name), perSecond: 200 });
      figures.push(await amplify(bench, trouble, gateway.port));
    } finally {
      await gateway.stop();
    }
  }
  return figures;
}

async function amplify({ simulator, isQuick }: FaultBench, trouble: Trouble, port: number): Promise<FaultFigure> {
  const { name, title, directives, places } = trouble;
  const calls = (): number => simulator.requests.at(-1)?.number ?? 0;
  simulator.impose(`/sim/label=${name}-`, directives);
  const before = calls();
  const outcomes = await offer(port, {
    request: streamRequest(`[simulate tokens=${TOKENS}]`, {
      model: name,
      headers: { 'x-tokenhub-allow-fallback': String(places === 'all') },
    }),
    check: checkOpenai(TOKENS),
    perSecond: PER_SECOND,
    durationMs: isQuick ? 5_000 : 20_000,
  });
  simulator.impose(`/sim/label=${name}-`, undefined);
  const failed = outcomes.filter(({ isGood }) => !isGood);
  const refused = failed.filter(({ status }) => status === 503);
  const share = `${((100 * failed.length) / outcomes.length).toFixed(1)} % of ${outcomes.length} failed`;
  const answers = failed.length === 0 ? '' : ` (${countStatuses(failed)}), p99 ${waitP99(failed)}`;
  const refusals = refused.length === 0 ? '' : `, of the 503s ${waitP99(refused)}`;
  return {
    fault: `amplification: ${title}`,
    what: 'calls per request',
    value: (calls() - before) / outcomes.length,
    ...(places === 'all' && { gate: 1.2, goal: 1.1 }),
    also: share + answers + refusals,
  };
}

function waitP99(outcomes: readonly Outcome[]): string {
  const waitsMs = outcomes.map(({ answeredInMs }) => answeredInMs);
  return `${percentile(waitsMs, 0.99).toFixed(1)} ms`;
}

/** One or two deployments of the model, and one of another behind another dialect. */
function toPlaces(simulatorUrl: string, { name, places, directives }: Trouble): unknown {
  const timeouts = directives === SILENT ? { first_event_ms: FIRST_EVENT_MS } : {};
  const provider = (place: string, type: 'openai' | 'anthropic') => ({
    id: `${name}-${place}`,
    type,
    base_url: `${simulatorUrl}/sim/label=${name}-${place}/${type === 'openai' ? 'openai/v1' : 'anthropic'}`,
    timeouts,
  });
  const a = { provider: `${name}-a`, model: 'sim-openai' };
  const b = { provider: `${name}-b`, model: 'sim-openai' };
  return toConfiguration(
    [provider('a', 'openai'), provider('b', 'openai'), provider('c', 'anthropic')],
    [
      { id: name, deployments: places === 'all' ? [a, b] : [a] },
      { id: otherOf(name), deployments: [{ provider: `${name}-c`, model: 'sim-claude' }] },
    ],
  );
}

function otherOf(name: string): string {
  return `${name}-other`;
}

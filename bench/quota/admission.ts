import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RateLoad } from '../load.ts';
import { checkOpenai, post } from '../scenarios.ts';
import { median, percentile } from '../statistics.ts';
import { startAccounting, startGateway, startSimulator, type Target } from '../targets.ts';
import { offerReservations } from './offer-reservations.ts';
import type { QuotaBench, Store } from './quota-bench.ts';
import type { QuotaFigure } from './quota-figure.ts';

const PER_SECOND = 500;
/** Five seconds. */
const WINDOW = 2_500;
const KEYS = 50;
const TOKENS = 5;
const CONNECTIONS = 64;

type Bounds = Readonly<Record<'p50' | 'p99', Pick<QuotaFigure, 'gate' | 'goal'>>>;
const PROMISED: Bounds = {
  p50: { gate: { atMost: 1 } },
  p99: { gate: { atMost: 5 }, goal: { atMost: 2 } },
};

/**
 * How long a reservation takes at 500 a second, as the process sees it that asks: a gateway that serves a short stream for each;
 * and one that does nothing else, with three scopes of five limits each, which is what Redis has to do with it.
 */
export async function measureAdmission(bench: QuotaBench): Promise<QuotaFigure[]> {
  const store = await bench.startStore();
  const accounting = await startAccounting(store.url, store.directory);
  const times = { primeMs: bench.isQuick ? 2_000 : 5_000, durationMs: bench.isQuick ? 5_000 : 30_000 };
  try {
    return [
      ...toFigures('admission: a gateway that serves streams', await askInGateway(store, times), PROMISED),
      ...toFigures('admission: a process with nothing else to do', await askAlone(store, times)),
    ];
  } finally {
    await accounting?.stop();
    await store.stop();
  }
}

interface Times {
  readonly primeMs: number;
  readonly durationMs: number;
}

async function askAlone({ quota }: Store, { primeMs, durationMs }: Times): Promise<number[]> {
  const keyOf = (index: number): number => index % KEYS;
  await offerReservations(quota, { perSecond: PER_SECOND, durationMs: primeMs, keyOf });
  return offerReservations(quota, { perSecond: PER_SECOND, durationMs, keyOf });
}

async function askInGateway({ url, directory }: Store, { primeMs, durationMs }: Times): Promise<number[]> {
  const own = join(directory, 'gateway');
  const report = join(own, 'latencies.json');
  await mkdir(own);
  const simulator = await startSimulator();
  const gateway = await startGateway({
    simulatorPort: simulator.port,
    redisUrl: url,
    directory: own,
    preload: { module: join(import.meta.dirname, 'time-reservations.ts'), env: { BENCH_REPORT: report } },
  });
  await serve(gateway, primeMs);
  const served = await serve(gateway, durationMs);
  await gateway.stop();
  await simulator.stop();
  const latenciesMs = JSON.parse(await readFile(report, 'utf8')) as number[];
  return latenciesMs.slice(-served);
}

/** @throws Error when an answer is not whole. */
async function serve({ port }: Target, durationMs: number): Promise<number> {
  const load = new RateLoad(port, CONNECTIONS);
  const messages = [{ role: 'user', content: `[simulate tokens=${TOKENS} pace=0]` }];
  const request = post('/v1/chat/completions', { model: 'sim-openai', stream: true, messages });
  const task = { request, check: checkOpenai(TOKENS) };
  const { answered, failures } = await load.run(task, { perSecond: PER_SECOND, durationMs });
  load.close();
  if (failures.length > 0) throw new Error(`${failures.length} answers were not whole, the first: ${failures[0]}`);
  return answered;
}

/** Medians over windows of the offer, so that a moment in which others took the machine is not all there is to see. */
function toFigures(name: string, latenciesMs: readonly number[], bounds: Partial<Bounds> = {}): QuotaFigure[] {
  const windows = Array.from({ length: Math.ceil(latenciesMs.length / WINDOW) }, (_, index) =>
    latenciesMs.slice(index * WINDOW, (index + 1) * WINDOW),
  );
  const p99s = windows.map((window) => percentile(window, 0.99));
  const longest = `longest ${Math.max(...latenciesMs).toFixed(1)} of ${latenciesMs.length}`;
  const value = median(windows.map((window) => percentile(window, 0.5)));
  return [
    { name, what: 'p50, ms', value, ...bounds.p50, also: longest },
    {
      name,
      what: 'p99, ms',
      value: median(p99s),
      ...bounds.p99,
      also: `by 5 s ${p99s.map((p99) => p99.toFixed(1)).join(', ')}`,
    },
  ];
}

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type SimulatedRequest, type Simulator } from '@tokenhub/simulator';
import { median, percentile } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { watchCores } from '../watch-cores.ts';
import { prime, streamRequest, type FaultBench } from './fault-bench.ts';
import type { FaultFigure } from './fault-figure.ts';

const STREAMS = 500;
const PACE_MS = 100;
/** Longer than any caller stays. */
const STREAM = `[simulate tokens=1200 pace=${PACE_MS}]`;
const SILENCE = '[simulate delay=120000]';
const SETTLE_MS = 2_000;
/** From a caller that was alone to the next. */
const ALONE_MS = 20;
/** How long the provider's side is waited for; a connection that is open still has not been closed. */
const PATIENCE_MS = 5_000;
const SEED = 12;

/**
 * Callers that leave: the time from a caller destroying its socket until the provider sees its own connection close, both by
 * the clock of this process. Waits of our own event loop are in it; what they and the kernel take alone is seen by callers
 * that leave the simulator itself.
 */
export async function measureCancel(bench: FaultBench): Promise<FaultFigure[]> {
  const gateway = await bench.startGateway();
  try {
    await prime(gateway);
    return await cancelAll(bench, gateway);
  } finally {
    await gateway.stop();
  }
}

async function cancelAll({ simulator, isQuick }: FaultBench, gateway: Target): Promise<FaultFigure[]> {
  const single = isQuick ? 40 : 150;
  const callers = new Callers(simulator);
  const through = { port: gateway.port, content: STREAM };
  const straight = { port: simulator.port, content: STREAM, path: '/openai/v1/chat/completions' };
  const direct = await cancelAmong(callers, straight, isQuick ? 300 : 600);
  const rounds: Round[] = [];
  while (rounds.length < (isQuick ? 1 : 3)) rounds.push(await cancelAmong(callers, through, isQuick ? 300 : 600));
  const alone = await cancelAlone(callers, through, single);
  const before = await cancelAlone(callers, { port: gateway.port, content: SILENCE }, single);
  const whole = await cancelAlone(callers, { port: gateway.port, content: SILENCE, stream: false }, single);
  return [
    toFigure(`cancel: ${STREAMS} streams, an event per ${PACE_MS} ms`, rounds, {
      gate: 50,
      goal: 10,
      beside: `; without a gateway p99 ${p99(direct).toFixed(2)} ms`,
    }),
    toFigure('cancel: one stream', [alone]),
    toFigure('cancel: before the first byte', [before]),
    toFigure('cancel: not streamed', [whole]),
  ];
}

interface Round {
  readonly latenciesMs: readonly number[];
  /** How much of all cores' time was used by whomever, 0 to 1: above 0.8 the figure is the machine's. */
  readonly busyShare: number;
}

interface CallerOptions {
  readonly port: number;
  readonly content: string;
  readonly path?: string;
  readonly stream?: boolean;
}

/** Callers with a number each, which the provider finds in their message. */
class Callers {
  readonly #simulator: Simulator;
  readonly #leftAtMs = new Map<number, number>();
  #latest = 0;

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
  }

  open({ port, content, ...options }: CallerOptions): Caller {
    const number = ++this.#latest;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => socket.destroy());
    // Of the same length for all, so that the simulator writes one answer for all.
    socket.write(streamRequest(`${content} caller ${String(number).padStart(6, '0')}`, options));
    const caller: Caller = { number, socket, isServed: false };
    socket.on('data', (bytes: Buffer) => {
      // The head comes first and in one piece. A busy gateway may refuse, and then there is nothing to be cancelled.
      if (!caller.isServed && bytes.toString('latin1', 0, 12) === 'HTTP/1.1 200') caller.isServed = true;
    });
    return caller;
  }

  leave({ number, socket }: Caller): void {
    this.#leftAtMs.set(number, performance.now());
    socket.destroy();
  }

  hasArrived({ number }: Caller): boolean {
    const latest = this.#simulator.requests.at(-1);
    return latest !== undefined && callerOf(latest) === number;
  }

  /** For all who have left since the last time, from leaving to the end at the provider; Infinity for one that did not end. */
  async latenciesMs(): Promise<number[]> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const closedAtMs = new Map(this.#simulator.requests.map((request) => [callerOf(request), request.closedAtMs]));
      const latencies = Array.from(this.#leftAtMs, ([number, leftAt]) => (closedAtMs.get(number) ?? Infinity) - leftAt);
      if (latencies.every(Number.isFinite) || performance.now() > deadline) {
        this.#leftAtMs.clear();
        return latencies;
      }
      await sleep(100);
    }
  }
}

interface Caller {
  readonly number: number;
  readonly socket: Socket;
  /** Its stream has begun. */
  isServed: boolean;
}

/** One after another of many leaves, at random times; another comes for each, so that their number stays. */
async function cancelAmong(callers: Callers, options: CallerOptions, count: number): Promise<Round> {
  const random = createRandom(SEED);
  const running: Caller[] = [];
  while (running.length < STREAMS) {
    running.push(callers.open(options));
    await sleep(1);
  }
  await sleep(SETTLE_MS);
  const readBusyShare = watchCores();
  for (let left = 0; left < count; left++) {
    // As callers leave who know nothing of each other: 20 ms apart in the mean.
    await sleep(-Math.log(1 - random()) * 20);
    const index = pickBegun(running, random);
    const caller = running[index];
    if (caller === undefined) throw new Error('the streams have ended by themselves');
    callers.leave(caller);
    running[index] = callers.open(options);
  }
  const round = { busyShare: readBusyShare(), latenciesMs: await callers.latenciesMs() };
  for (const { socket } of running) socket.destroy();
  await sleep(SETTLE_MS);
  return round;
}

/** The index of a caller whose stream has begun and goes on; -1 if there is none. */
function pickBegun(running: readonly Caller[], random: () => number): number {
  for (let tries = 0; tries < 100; tries++) {
    const index = Math.floor(random() * running.length);
    const caller = running[index];
    if (caller?.isServed === true && !caller.socket.destroyed) return index;
  }
  return -1;
}

/** Each leaves alone, at some moment between two events, or while the provider is silent. */
async function cancelAlone(callers: Callers, options: CallerOptions, count: number): Promise<Round> {
  const random = createRandom(SEED);
  const readBusyShare = watchCores();
  for (let left = 0, refused = 0; left < count; left++) {
    const caller = callers.open(options);
    const isThere = (): boolean => (options.content === STREAM ? caller.isServed : callers.hasArrived(caller));
    const deadline = performance.now() + PATIENCE_MS;
    while (!isThere() && performance.now() < deadline) await sleep(1);
    if (!isThere()) {
      caller.socket.destroy();
      if (++refused > count / 10) throw new Error('the gateway did not serve callers that came one at a time');
      continue;
    }
    await sleep(random() * PACE_MS);
    callers.leave(caller);
    await sleep(ALONE_MS);
  }
  return { busyShare: readBusyShare(), latenciesMs: await callers.latenciesMs() };
}

function callerOf({ body }: SimulatedRequest): number {
  return Number(/caller (\d{6})/.exec(JSON.stringify(body) ?? '')?.[1]);
}

function toFigure(
  fault: string,
  rounds: readonly Round[],
  { beside = '', ...bounds }: { gate?: number; goal?: number; beside?: string } = {},
): FaultFigure {
  const p99s = rounds.map(p99);
  const all = rounds.flatMap(({ latenciesMs }) => latenciesMs);
  const open = all.filter((latency) => latency === Infinity).length;
  const also = [
    ...(rounds.length > 1 ? [`by round ${p99s.map((value) => value.toFixed(1)).join(', ')}`] : []),
    `p50 ${percentile(all, 0.5).toFixed(2)}, longest ${Math.max(...all).toFixed(1)} of ${all.length}`,
    ...(open > 0 ? [`${open} never closed`] : []),
    `machine ${(100 * median(rounds.map(({ busyShare }) => busyShare))).toFixed(0)} % busy`,
  ];
  return { fault, what: 'p99, ms', value: median(p99s), ...bounds, also: also.join('; ') + beside };
}

function p99({ latenciesMs }: Round): number {
  return percentile(latenciesMs, 0.99);
}

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatedRequest, Simulator } from '@tokenhub/simulator';
import { readProcessUsage } from '../process-usage.ts';
import { median } from '../statistics.ts';
import type { Target } from '../targets.ts';
import { prime, streamRequest, type FaultBench } from './fault-bench.ts';
import type { FaultFigure } from './fault-figure.ts';

const FEW = 50;
const MANY = 250;
/** 16 kB per millisecond and reader, until it is not taken any more; far longer than all buffers together. */
const STREAM = '[simulate tokens=60000 pace=1 burst=64]';
/** Callers that have read nothing for 60 s are cut off, so all has to be seen well before. */
const SETTLE_MS = 6_000;
/** Until the next reader: this one's stream keeps the gateway busy until all buffers are full. */
const SPACING_MS = 40;
/** A reader that is not served by then was refused, as may happen on a busy machine; another one is sent. */
const ARRIVAL_MS = 2_000;
const KIB = 1_024;

/**
 * What one more caller that never reads costs the gateway in resident memory. Taken in processes of their own; what the
 * kernel holds for the sockets is not in it.
 */
export async function measureStalled(bench: FaultBench): Promise<FaultFigure[]> {
  const slopes: number[] = [];
  const sentBytes: number[] = [];
  for (let round = 0; round < (bench.isQuick ? 1 : 3); round++) {
    const gateway = await bench.startGateway();
    try {
      await prime(gateway);
      const { slopeBytes, sentBytesPerStream } = await stall(bench.simulator, gateway);
      slopes.push(slopeBytes / KIB);
      sentBytes.push(sentBytesPerStream);
    } finally {
      await gateway.stop();
    }
  }
  const each = slopes.map((slope) => slope.toFixed(0)).join(', ');
  const also = `from ${FEW} to ${MANY} in each process: ${each}; the provider was let send ${(median(sentBytes) / 1e6).toFixed(2)} MB each`;
  return [
    {
      fault: 'stalled: callers that never read',
      what: 'RSS each, KiB',
      value: median(slopes),
      gate: KIB,
      goal: 256,
      also,
    },
  ];
}

async function stall(
  simulator: Simulator,
  gateway: Target,
): Promise<{ slopeBytes: number; sentBytesPerStream: number }> {
  const readers = new Readers(simulator, gateway.port);
  try {
    await readers.open(FEW);
    const few = readProcessUsage(gateway.pid).rssBytes;
    await readers.open(MANY);
    const many = readProcessUsage(gateway.pid).rssBytes;
    const sent = readers.tokensSent;
    await sleep(1_000);
    if (readers.tokensSent !== sent) throw new Error('streams went on although nobody read them');
    if (readers.underWay !== MANY) throw new Error(`${readers.underWay} of ${MANY} streams were under way`);
    const sentBytesPerStream = (sent / MANY) * (await bytesPerToken(simulator));
    return { slopeBytes: (many - few) / (MANY - FEW), sentBytesPerStream };
  } finally {
    readers.close();
    await sleep(1_000);
  }
}

/** Callers that ask and never read. */
class Readers {
  readonly #simulator: Simulator;
  readonly #port: number;
  readonly #before: number;
  readonly #sockets: Socket[] = [];

  constructor(simulator: Simulator, port: number) {
    this.#simulator = simulator;
    this.#port = port;
    this.#before = simulator.requests.at(-1)?.number ?? 0;
  }

  /** At the provider. */
  get underWay(): number {
    return this.#requests.filter(({ outcome }) => outcome === 'open').length;
  }

  /** Tokens that all providers' sockets together have taken. */
  get tokensSent(): number {
    return this.#requests.reduce((sum, request) => sum + request.tokensSent, 0);
  }

  /** Opens more until so many are served, and waits until nothing moves any more. */
  async open(count: number): Promise<void> {
    for (let tries = 0; this.underWay < count; tries++) {
      if (tries > 2 * count) throw new Error('the gateway did not serve the readers');
      const before = this.underWay;
      this.#ask();
      const deadline = performance.now() + ARRIVAL_MS;
      while (this.underWay === before && performance.now() < deadline) await sleep(5);
      await sleep(SPACING_MS);
    }
    await sleep(SETTLE_MS);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  get #requests(): SimulatedRequest[] {
    return this.#simulator.requests.filter(({ number }) => number > this.#before);
  }

  #ask(): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    // Before it is connected: Node then never asks the kernel for a byte.
    socket.pause();
    socket.on('error', () => socket.destroy());
    socket.write(streamRequest(STREAM));
    this.#sockets.push(socket);
  }
}

/** Length of an event with one token, the only kind that there are many of. */
async function bytesPerToken({ url }: Simulator): Promise<number> {
  const tokens = 1_000;
  const answer = await fetch(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer simulated', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sim-openai',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: `[simulate tokens=${tokens}]` }],
    }),
  });
  return (await answer.arrayBuffer()).byteLength / tokens;
}

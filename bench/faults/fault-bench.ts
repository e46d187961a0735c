import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulator, type Simulator } from '@tokenhub/simulator';
import { RateLoad } from '../load.ts';
import { checkOpenai, post } from '../scenarios.ts';
import { startBenchRedis, startGateway, type Target } from '../targets.ts';

/** What the four measurements share. */
export interface FaultBench {
  /** In this process: its faults are imposed by a call, and what it sees has our own clock. */
  readonly simulator: Simulator;
  /** Few and short, for a first look. */
  readonly isQuick: boolean;
  /** A fresh gateway process with a folder of its own, so that none watches another's configuration. */
  startGateway(configuration?: unknown): Promise<Target>;
  stop(): Promise<void>;
}

/** Of which the figures are made; the rest is forgotten. */
const REMEMBERED_REQUESTS = 10_000;

/** Starts Redis and the provider; both serve all gateways that are started, one after the other or side by side. */
export async function startFaultBench(directory: string, isQuick: boolean): Promise<FaultBench> {
  const redis = await startBenchRedis(directory);
  const simulator = await startSimulator({ logSize: REMEMBERED_REQUESTS });
  let gateways = 0;
  return {
    simulator,
    isQuick,
    async startGateway(configuration) {
      const own = join(directory, `gateway-${++gateways}`);
      await mkdir(own);
      return startGateway({ simulatorPort: simulator.port, redisUrl: redis.url, directory: own, configuration });
    },
    async stop() {
      await simulator.close();
      await redis.stop();
    },
  };
}

const PRIME_TOKENS = 100;
const PRIME_MS = 3_000;
const PRIME_CONNECTIONS = 32;

/**
 * Short streams for a while, so that the compiler and the heap of a fresh process have settled.
 * @throws Error when the gateway does not serve at least half of them; a machine that is busy may cost a few.
 */
export async function prime(gateway: Target, { model = 'sim-openai', perSecond = 500 } = {}): Promise<void> {
  const load = new RateLoad(gateway.port, PRIME_CONNECTIONS);
  const request = streamRequest(`[simulate tokens=${PRIME_TOKENS}]`, { model });
  const task = { request, check: checkOpenai(PRIME_TOKENS) };
  const { answered, failures } = await load.run(task, { perSecond, durationMs: PRIME_MS });
  load.close();
  if (failures.length > answered / 2) throw new Error(`no good answers without any fault, but: ${failures[0]}`);
}

/** A chat completion that is streamed unless `stream` says otherwise. */
export function streamRequest(
  content: string,
  { model = 'sim-openai', path = '/v1/chat/completions', stream = true, headers = {} }: StreamRequestOptions = {},
): Uint8Array {
  return post(path, { model, stream, messages: [{ role: 'user', content }] }, headers);
}

export interface StreamRequestOptions {
  readonly model?: string;
  readonly path?: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, redisOptions, type Peppers } from '@tokenhub/config';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { startSimulator, type Simulator, type SimulatorOptions } from '@tokenhub/simulator';
import { createGateway, type Gateway } from '../src/create-gateway.ts';

export const KEY = 'tokenhub_test-key-0123456789';
export const KEY_PEPPER = 'a pepper of the tests';

export interface TestGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly simulator: Simulator;
  readonly redis: LocalRedis;
  /** A POST with the test key. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  get(path: string): Promise<Response>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  /** The configuration file's text; `${SIMULATOR}` in it becomes the simulator's address. */
  readonly config: string;
  readonly simulator?: SimulatorOptions;
  readonly maxRequests?: number;
  readonly keyTtlMs?: number;
  readonly keyPeppers?: Peppers;
  /** Another gateway, whose Redis and simulator this one shares: a cluster of two. */
  readonly beside?: TestGateway;
}

/** A gateway on a free port, with a Redis and a simulator of its own. */
export async function startTestGateway({
  config,
  simulator: simulatorOptions,
  maxRequests,
  keyTtlMs,
  keyPeppers = [KEY_PEPPER],
  beside,
}: TestGatewayOptions): Promise<TestGateway> {
  const redis = beside?.redis ?? (await startRedis());
  const simulator = beside?.simulator ?? (await startSimulator(simulatorOptions));
  const gateway = await createGateway({
    config: readTestConfig(config, simulator.url),
    redis: redisOptions(redis.url),
    spoolDirectory: join(tmpdir(), `tokenhub-spool-${randomUUID()}`),
    databaseUrl: `sqlite:${join(tmpdir(), `tokenhub-${randomUUID()}.sqlite`)}`,
    keyPeppers,
    host: '127.0.0.1',
    port: 0,
    logLevel: 'error',
    maxRequests,
    keyTtlMs,
  });
  return {
    url: gateway.url,
    gateway,
    simulator,
    redis,
    post: (path, body, init = {}) =>
      fetch(gateway.url + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: {
          authorization: `Bearer ${KEY}`,
          'content-type': 'application/json',
          ...(init.headers as Record<string, string>),
        },
      }),
    get: (path) => fetch(gateway.url + path, { headers: { authorization: `Bearer ${KEY}` } }),
    async close() {
      await gateway.close({ preStopMs: 0, drainMs: 0 });
      if (beside !== undefined) return;
      await simulator.close();
      await redis.stop();
    },
  };
}

export function readTestConfig(text: string, simulatorUrl: string): ReturnType<typeof loadConfig> {
  return loadConfig(text, { env: { SIMULATOR: simulatorUrl, KEY }, fileName: 'test.yaml' });
}

/** Models of all three provider types at the simulator, and a key without limits. */
export const ALL_PROVIDERS = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
  - { id: vllm, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
models:
  - id: gpt-4
    weight: 8
    context_window: 128000
    max_output_tokens: 16384
    deployments: [{ provider: openai, model: gpt-4 }]
    price: { input: "10.00", output: "30.00", cached_input: "5.00" }
  - id: claude-sonnet-4
    weight: 7
    context_window: 200000
    max_output_tokens: 64000
    deployments: [{ provider: anthropic, model: claude-sonnet-4 }]
    price: { input: "3.00", output: "15.00", cached_input: "0.30", cache_write: "3.75" }
  - id: llama
    weight: 3
    context_window: 32000
    max_output_tokens: 8000
    deployments: [{ provider: vllm, model: llama }]
    price: { input: "0.10", output: "0.20" }
keys:
  - { id: test, key: "\${KEY}", models: ["*"], org: acme }
`;

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { startSimulator, type Simulator } from '@tokenhub/simulator';

export const KEY = 'tokenhub_e2e-key-0123456789';
/** Of another organization. */
export const STRANGER_KEY = 'tokenhub_stranger-012345678';
/** May have ten thousand requests under way, of any price. */
export const CROWD_KEY = 'tokenhub_crowd-key-012345678';
export const ADMIN_TOKEN = 'admin-token-of-the-e2e-tests';

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, weight: 8, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude, weight: 7, max_output_tokens: 8000, deployments: [{ provider: anthropic, model: claude }], price: { input: "3.00", output: "15.00" } }
keys:
  - { id: e2e, key: "\${KEY}", models: ["*"], org: acme, limits: { rpm: 100000, tpm: 100000000, concurrency: 1000, budget_day_usd: "1000" } }
  - { id: stranger, key: ${STRANGER_KEY}, models: ["*"], org: other }
  - { id: crowd, key: ${CROWD_KEY}, models: ["*"], org: crowd, limits: { concurrency: 10000 } }
`;

export interface Service {
  readonly process: ChildProcess;
  readonly url: string;
  /** Exit code or signal. */
  readonly ended: Promise<unknown>;
  /** All that it has printed so far. */
  readonly output: () => string;
}

export interface Processes {
  /** The one that runs from the start. */
  readonly gateway: Service;
  readonly redisUrl: string;
  readonly simulator: Simulator;
  /** The configuration that gateways read, to be changed under them. */
  readonly configFile: string;
  /** Another one; a command before it (`prlimit`, its options) starts it in its own place. */
  startGateway(env?: Readonly<Record<string, string>>, command?: readonly string[]): Promise<Service>;
  startAccounting(env?: Readonly<Record<string, string>>): Promise<Service>;
  stop(): Promise<void>;
}

export interface ProcessesOptions {
  /** @defaultValue startRedis */
  readonly startStore?: () => Promise<LocalRedis>;
  /** Besides what every test gives them. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The real processes as a container would run them, with a Redis and a simulator of their own. Needs a build. */
export async function prepareProcesses(options: ProcessesOptions = {}): Promise<Processes> {
  const { startStore = startRedis, env: more } = options;
  const directory = mkdtempSync(join(tmpdir(), 'tokenhub-e2e-'));
  const [redis, simulator] = await Promise.all([startStore(), startSimulator()]);
  writeFileSync(join(directory, 'tokenhub.yaml'), CONFIG);
  const env = {
    PATH: process.env['PATH'] ?? '',
    SIMULATOR: simulator.url,
    KEY,
    TOKENHUB_CONFIG: join(directory, 'tokenhub.yaml'),
    TOKENHUB_DATA_DIR: directory,
    TOKENHUB_KEY_PEPPER: 'a pepper of the e2e tests',
    TOKENHUB_ADMIN_TOKEN: ADMIN_TOKEN,
    REDIS_URL: redis.url,
    GATEWAY_PORT: '0',
    GATEWAY_PRE_STOP_MS: '0',
    ACCOUNTING_PORT: '0',
    LOG_LEVEL: 'info',
    ...more,
  };
  const services: Service[] = [];
  const start: typeof startService = async (app, its, command) => {
    const service = await startService(app, { ...env, ...its }, command);
    services.push(service);
    return service;
  };
  return {
    gateway: await start('gateway', {}),
    redisUrl: redis.url,
    simulator,
    configFile: env.TOKENHUB_CONFIG,
    startGateway: (its = {}, command = []) => start('gateway', its, command),
    startAccounting: (its = {}) => start('accounting', its),
    async stop() {
      for (const service of services) service.process.kill('SIGKILL');
      await Promise.all(services.map(({ ended }) => ended));
      await simulator.close();
      await redis.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs an app's `main.js` until its log says where it listens, as it does from the level `info` on. */
export async function startService(
  app: 'gateway' | 'accounting',
  env: Readonly<Record<string, string>>,
  command: readonly string[] = [],
): Promise<Service> {
  const main = fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
  const [file, ...args] = [...command, process.execPath, main] as const;
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
  const listening = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      const url = /listening (?:on|at) (http:[^\s"]+?)\/?(?:["\s]|$)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    void ended.then((code) => reject(new Error(`${app} ended with ${String(code)}:\n${output}`)));
  });
  return { process: child, url: await listening, ended, output: () => output };
}

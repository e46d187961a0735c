import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { demoConfig, generateApiKey, runMain } from '@tokenhub/config';
import { startRedis } from '@tokenhub/local-redis';
import { startSimulator } from '@tokenhub/simulator';
import { banner } from './start/banner.ts';
import { openDataDir, type DataDir } from './start/data-dir.ts';
import { ensureFreePort } from './start/ensure-free-port.ts';
import { startService, type Service } from './start/service.ts';
import { describeSettings, readStartSettings, type StartSettings } from './start/settings.ts';

const HELP = `Starts TokenHub on this machine: Redis if none is given, accounting and gateway. Ctrl-C stops all of it.

Settings, from the environment:

${describeSettings()}
`;

/** Milliseconds between the events of a simulated stream: slow enough to be seen as one. */
const SIMULATED_PACE_MS = 20;

if (process.argv.slice(2).some((argument) => ['--help', '-h'].includes(argument))) say(HELP);
else await runMain(main);

async function main(): Promise<void> {
  const settings = readStartSettings();
  const services: Service[] = [];
  const asked = new AbortController();
  const interrupted = once(asked.signal, 'abort').then(() => undefined);
  listenForSignals(asked, services);

  // Ended from the last to the first, whatever the reason: each outlives those who still write to it.
  await using running = new AsyncDisposableStack();
  const dataDir = openDataDir(settings.TOKENHUB_DATA_DIR);
  running.defer(() => dataDir.release());
  await ensureFreePort('GATEWAY_PORT', settings.GATEWAY_HOST, settings.GATEWAY_PORT);
  await ensureFreePort('ACCOUNTING_PORT', settings.ACCOUNTING_HOST, settings.ACCOUNTING_PORT);

  const redis = await provideRedis(settings, dataDir);
  running.defer(() => redis.stop());
  const config = await provideConfig(settings, dataDir);
  running.defer(() => config.stop());

  const generatedAdminToken = settings.TOKENHUB_ADMIN_TOKEN === undefined ? generateSecret() : undefined;
  const env = {
    // Nobody has to notice that it is going, as a load balancer would.
    GATEWAY_PRE_STOP_MS: '0',
    ...process.env,
    ...config.env,
    REDIS_URL: redis.url,
    TOKENHUB_CONFIG: config.file,
    TOKENHUB_DATA_DIR: dataDir.path,
    DATABASE_URL: settings.DATABASE_URL ?? `sqlite:${join(dataDir.path, 'ledger.sqlite')}`,
    TOKENHUB_ADMIN_TOKEN: settings.TOKENHUB_ADMIN_TOKEN ?? generatedAdminToken,
    TOKENHUB_KEY_PEPPER: settings.TOKENHUB_KEY_PEPPER ?? dataDir.keepSecret('key-pepper', generateSecret),
    GATEWAY_HOST: settings.GATEWAY_HOST,
    GATEWAY_PORT: String(settings.GATEWAY_PORT),
    ACCOUNTING_HOST: settings.ACCOUNTING_HOST,
    ACCOUNTING_PORT: String(settings.ACCOUNTING_PORT),
  };
  const accountingUrl = urlOf(settings.ACCOUNTING_HOST, settings.ACCOUNTING_PORT);
  const gatewayUrl = urlOf(settings.GATEWAY_HOST, settings.GATEWAY_PORT);
  for (const [name, url] of [
    ['accounting', accountingUrl],
    ['gateway', gatewayUrl],
  ] as const) {
    const entry = new URL(`../apps/${name}/dist/main.js`, import.meta.url);
    const service = startService({ name, entry, env, readyUrl: `${url}/readyz` });
    services.push(service);
    running.defer(() => service.stop());
  }

  const ended = Promise.race([
    ...services.map(async ({ name, ended: end }) => `${name} ${await end}`),
    redis.exited.then(() => 'Redis ended'),
  ]);
  try {
    await Promise.all(services.map((service) => service.ready(asked.signal)));
    const adminToken = generatedAdminToken;
    const { is, demoKey, model } = config;
    say(banner({ gatewayUrl, accountingUrl, redis: redis.is, config: is, adminToken, demoKey, model }));
  } catch (error) {
    if (!asked.signal.aborted) throw error;
  }

  const failure = await Promise.race([interrupted, ended]);
  say(
    failure === undefined
      ? 'Stopping: running requests may end, then all is booked.'
      : `${failure}; stopping the rest.`,
  );
  if (failure !== undefined) process.exitCode = 1;
}

/** The first signal lets requests end and money be booked; the second waits for nothing. */
function listenForSignals(asked: AbortController, services: readonly Service[]): void {
  const onSignal = (): void => {
    if (!asked.signal.aborted) return asked.abort();
    for (const service of services) service.kill();
    // What is left ends with this process.
    return process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

interface Provided {
  /** In words, for the person who started it. */
  readonly is: string;
  stop(): Promise<void> | void;
}

interface ProvidedRedis extends Provided {
  readonly url: string;
  readonly exited: Promise<unknown>;
}

async function provideRedis({ REDIS_URL: url }: StartSettings, dataDir: DataDir): Promise<ProvidedRedis> {
  if (url !== undefined) return { url, is: 'as REDIS_URL says', exited: new Promise(() => {}), stop: () => {} };
  const redis = await startRedis({ dataDir: join(dataDir.path, 'redis') });
  const is =
    redis.kind === 'embedded'
      ? 'a substitute inside this process, for trying out: slow, and quotas are forgotten at the end'
      : `${redis.kind} ${redis.version}, data in ${join(dataDir.path, 'redis')}`;
  return { ...redis, is };
}

interface ProvidedConfig extends Provided {
  readonly file: string;
  /** What the file takes from the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly demoKey?: string;
  /** One that it is known to have. */
  readonly model?: string;
}

async function provideConfig(settings: StartSettings, dataDir: DataDir): Promise<ProvidedConfig> {
  const file = settings.TOKENHUB_CONFIG ?? (existsSync('tokenhub.yaml') ? 'tokenhub.yaml' : undefined);
  if (file !== undefined) return { file, env: {}, is: file, stop: () => {} };

  const simulator = await startSimulator({ paceMs: SIMULATED_PACE_MS });
  const demoKey = settings.DEMO_KEY ?? dataDir.keepSecret('demo-key', generateApiKey);
  const demoFile = dataDir.write('demo.yaml', demoConfig({ simulatorUrl: simulator.url, env: process.env }));
  return {
    file: demoFile,
    env: { DEMO_KEY: demoKey },
    demoKey,
    model: 'gpt-4',
    is: `${demoFile}; its providers named simulated-* are simulated, no model is behind them`,
    stop: () => simulator.close(),
  };
}

function urlOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

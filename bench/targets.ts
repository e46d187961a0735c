import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPostgres, startPostgres } from '@tokenhub/local-postgres';
import { findFreePorts, spawnBound, startRedis } from '@tokenhub/local-redis';
import { BENCH_KEY } from './scenarios.ts';

export type TargetName = 'simulator' | 'nginx' | 'gateway';

/** A running process that takes load. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '..');
/** As `start` and the image run it. */
const NODE_ARGUMENTS = ['--max-semi-space-size=32'];
const START_TIMEOUT_MS = 15_000;

/** The provider behind all others. Also answers directly, as the floor of all latencies. */
export async function startSimulator(): Promise<Target> {
  const [port = 0] = await findFreePorts(1);
  return start('simulator', port, [
    process.execPath,
    join(ROOT, 'packages/simulator/dist/main.js'),
    '--port',
    `${port}`,
  ]);
}

/** One worker that relays to the simulator without buffering: what relaying costs at the least. */
export async function startNginx(simulatorPort: number, directory: string): Promise<Target> {
  const [port = 0] = await findFreePorts(1);
  const prefix = join(directory, `nginx-${port}`);
  await mkdir(prefix, { recursive: true });
  await writeFile(join(prefix, 'nginx.conf'), nginxConfiguration(port, simulatorPort));
  return start('nginx', port, ['nginx', '-p', prefix, '-c', 'nginx.conf', '-e', 'error.log']);
}

export interface GatewayOptions {
  readonly simulatorPort: number;
  readonly redisUrl: string;
  readonly directory: string;
  /** Its configuration file; absent: one provider for each dialect, both at the simulator. */
  readonly configuration?: unknown;
  /** Where a CPU profile is left when it stops. */
  readonly profileDir?: string | undefined;
  /** A module that is loaded before its own, and what that finds in the environment. */
  readonly preload?: { readonly module: string; readonly env: NodeJS.ProcessEnv } | undefined;
}

/** The gateway with everything switched on: keys, quotas in Redis, routing, cost comments and events, metrics. */
export async function startGateway({
  simulatorPort,
  redisUrl,
  directory,
  configuration = gatewayConfiguration(simulatorPort),
  profileDir,
  preload,
}: GatewayOptions): Promise<Target> {
  const [port = 0] = await findFreePorts(1);
  const configPath = join(directory, 'tokenhub.yaml');
  await writeFile(configPath, JSON.stringify(configuration, null, 2));
  const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const loading = preload === undefined ? [] : [`--import=${preload.module}`];
  return start(
    'gateway',
    port,
    [process.execPath, ...NODE_ARGUMENTS, ...profiling, ...loading, join(ROOT, 'apps/gateway/dist/main.js')],
    {
      ...environment(redisUrl, directory),
      ...preload?.env,
      TOKENHUB_CONFIG: configPath,
      GATEWAY_PORT: `${port}`,
    },
  );
}

/**
 * What drains the gateway's cost events while it is measured; undefined where it has not been built.
 * @param databaseUrl of its ledger, by default in the directory.
 */
export async function startAccounting(
  redisUrl: string,
  directory: string,
  databaseUrl = sqliteIn(directory),
): Promise<Target | undefined> {
  const main = join(ROOT, 'apps/accounting/dist/main.js');
  if (!existsSync(main)) return undefined;
  const [port = 0] = await findFreePorts(1);
  const configPath = join(directory, 'tokenhub.yaml');
  if (!existsSync(configPath)) await writeFile(configPath, JSON.stringify(gatewayConfiguration(port)));
  return start('accounting', port, [process.execPath, main], {
    ...environment(redisUrl, directory),
    DATABASE_URL: databaseUrl,
    TOKENHUB_CONFIG: configPath,
    ACCOUNTING_PORT: `${port}`,
    TOKENHUB_ADMIN_TOKEN: 'bench-admin-token-0123456789',
  });
}

/** A Redis as it runs in production: append-only file, fsync every second. */
export async function startBenchRedis(directory: string): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const redis = await startRedis({ dataDir: join(directory, 'redis') });
  if (redis.pid === undefined) throw new Error('redis-server is not on PATH; the embedded one is not worth measuring');
  return { url: redis.url, pid: redis.pid, stop: () => redis.stop() };
}

/** PostgreSQL as it runs in production, with fsync, which a local one for tests goes without; undefined where there is none. */
export async function startBenchPostgres(): Promise<{ readonly url: string; stop(): Promise<void> } | undefined> {
  const programs = await findPostgres();
  if (programs === undefined) return undefined;
  // The last setting wins. Whoever runs the server must be able to enter the folder.
  const directory = await mkdtemp(join(tmpdir(), 'tokenhub-bench-postgres-'));
  const program = join(directory, 'postgres');
  await writeFile(program, `#!/bin/sh\nexec ${programs.postgres} "$@" -c fsync=on\n`, { mode: 0o755 });
  await chmod(directory, 0o755);
  const server = await startPostgres({ ...programs, postgres: program });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function sqliteIn(directory: string): string {
  return `sqlite:${join(directory, 'ledger.sqlite')}`;
}

function environment(redisUrl: string, directory: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    REDIS_URL: redisUrl,
    DATABASE_URL: sqliteIn(directory),
    TOKENHUB_DATA_DIR: directory,
    TOKENHUB_KEY_PEPPER: 'bench-pepper-0123456789abcdef',
    GATEWAY_PRE_STOP_MS: '0',
  };
}

// oxlint-disable-next-line max-params -- the environment is the exception
async function start(
  name: string,
  port: number,
  [command = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Target> {
  const child = spawnBound(command, args, { env, stdout: 'pipe' });
  child.stdout?.resume();
  await waitForPort(name, port, child);
  if (child.pid === undefined) throw new Error(`${name} did not start`);
  return { name, port, pid: child.pid, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function waitForPort(name: string, port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}`);
    if (Date.now() > deadline) {
      await stop(child);
      throw new Error(`${name} did not listen on port ${port}`);
    }
    await sleep(20);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function nginxConfiguration(port: number, simulatorPort: number): string {
  return `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_body_buffer_size 128k;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  upstream simulator {
    server 127.0.0.1:${simulatorPort};
    keepalive 8192;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_read_timeout 600s;
    location = /v1/chat/completions { proxy_pass http://simulator/openai/v1/chat/completions; }
    location = /v1/messages { proxy_pass http://simulator/anthropic/v1/messages; }
  }
}
`;
}

function gatewayConfiguration(simulatorPort: number): unknown {
  const base = `http://127.0.0.1:${simulatorPort}`;
  return toConfiguration(
    [
      { id: 'openai', type: 'openai', base_url: `${base}/openai/v1` },
      { id: 'anthropic', type: 'anthropic', base_url: `${base}/anthropic` },
    ],
    [
      { id: 'sim-openai', deployments: [{ provider: 'openai', model: 'sim-openai' }] },
      { id: 'sim-claude', deployments: [{ provider: 'anthropic', model: 'sim-claude' }] },
    ],
  );
}

/** A configuration of the benches' one key, with what all providers and all models have in common. */
export function toConfiguration(providers: readonly object[], models: readonly object[]): unknown {
  const provider = { api_key: 'simulated', allow_private: true, max_connections: 8_192 };
  const model = {
    weight: 5,
    context_window: 1_000_000,
    max_output_tokens: 4_096,
    price: { input: '1.00', output: '2.00' },
  };
  return {
    providers: providers.map((each) => ({ ...provider, ...each })),
    models: models.map((each) => ({ ...model, ...each })),
    keys: [
      {
        id: 'bench',
        key: BENCH_KEY,
        models: ['*'],
        org: 'bench',
        // Limits that are counted and never reached.
        limits: { rpm: 1_000_000, tpm: 1_000_000_000, concurrency: 100_000, budget_day_usd: '1000000' },
      },
    ],
  };
}

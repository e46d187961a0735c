import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres, type LocalPostgres, type PostgresPrograms } from '@tokenhub/local-postgres';
import { startSimulator, type Simulator } from '@tokenhub/simulator';
import { startStore, type Store } from './store.ts';
import type { Tenant } from './tenant.ts';
import { ADMIN_TOKEN, startService, type Service } from '../start-processes.ts';

export const BUDGET_KEY = 'tokenhub_chaos-budget-0123456';
export const FREE_KEY = 'tokenhub_chaos-free-012345678';
/** Has a limit and no budget. */
export const RATED_KEY = 'tokenhub_chaos-rated-01234567';
export const RATED_RPM = 40;
/** Is served on its budget while the store is away. */
export const TRUSTED_KEY = 'tokenhub_chaos-trusted-012345';

/** USD per million tokens; what a request costs is reckoned from these by the audit itself. */
export const PRICES = { input: 10n, output: 30n } as const;

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: second, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - id: gpt-4
    weight: 8
    deployments: [{ provider: openai, model: gpt-4 }, { provider: second, model: gpt-4 }]
    price: { input: "${PRICES.input}.00", output: "${PRICES.output}.00" }
keys:
  - { id: budget, key: ${BUDGET_KEY}, models: ["*"], user: ada, org: acme, limits: { rpm: 1000000, tpm: 1000000000, concurrency: 1000, budget_day_usd: "100000", budget_month_usd: "1000000" } }
  - { id: free, key: ${FREE_KEY}, models: ["*"], org: free }
  - { id: rated, key: ${RATED_KEY}, models: ["*"], org: rated, limits: { rpm: ${RATED_RPM} } }
  - { id: trusted, key: ${TRUSTED_KEY}, models: ["*"], org: trusted, limits: { budget_day_usd: "100" }, without_quota_store: serve }
orgs: { acme: { limits: { budget_month_usd: "1000000" } } }
`;

/** Everything of a small deployment, each process by itself. */
export interface House {
  readonly gateways: readonly (Tenant & { readonly url: string })[];
  readonly workers: readonly (Tenant & { readonly url: string })[];
  readonly redis: Store;
  readonly postgres: Tenant;
  readonly database: LocalPostgres['connection'];
  readonly simulator: Simulator;
  /** What the processes have written that somebody should see. */
  output(): string;
  stop(): Promise<void>;
}

/** @param keepsData the store has an append-only file; without it, it forgets everything whenever it is killed */
export async function startHouse(programs: PostgresPrograms, { keepsData = true } = {}): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), 'tokenhub-chaos-'));
  writeFileSync(join(directory, 'tokenhub.yaml'), CONFIG);
  const simulator = await startSimulator({ logSize: 10_000_000 });
  const [postgres, redis] = await Promise.all([startPostgres(programs), startStore(directory, keepsData)]);
  const env = {
    PATH: process.env['PATH'] ?? '',
    SIMULATOR: simulator.url,
    TOKENHUB_CONFIG: join(directory, 'tokenhub.yaml'),
    TOKENHUB_DATA_DIR: directory,
    TOKENHUB_KEY_PEPPER: 'a pepper of the chaos tests',
    TOKENHUB_ADMIN_TOKEN: ADMIN_TOKEN,
    REDIS_URL: redis.url,
    DATABASE_URL: postgres.url,
    GATEWAY_PORT: '0',
    GATEWAY_PRE_STOP_MS: '0',
    GATEWAY_MAX_GATEWAYS: '2',
    ACCOUNTING_PORT: '0',
    ACCOUNTING_RECONCILE_MS: '5000',
    LOG_LEVEL: 'info',
  };
  const workers = [await startTenant('accounting', env), await startTenant('accounting', env)];
  const gateways = [await startTenant('gateway', env), await startTenant('gateway', env)];
  const services = [...workers, ...gateways];
  return {
    gateways,
    workers,
    redis,
    postgres: toTenant(postgres),
    database: postgres.connection,
    simulator,
    output: () => services.map((service) => service.output()).join(''),
    async stop() {
      for (const service of services) await service.kill();
      await redis.kill();
      await postgres.stop();
      await simulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface ServiceTenant extends Tenant {
  readonly url: string;
  readonly output: () => string;
}

async function startTenant(
  app: 'gateway' | 'accounting',
  env: Readonly<Record<string, string>>,
): Promise<ServiceTenant> {
  let service: Service = await startService(app, env);
  let before = '';
  return {
    name: app,
    get url() {
      return service.url;
    },
    output: () => before + service.output(),
    async kill() {
      service.process.kill('SIGKILL');
      await service.ended;
    },
    pause: () => service.process.kill('SIGSTOP'),
    resume: () => service.process.kill('SIGCONT'),
    async restart() {
      before += service.output();
      // What it needs may be away too; a process manager would try again
      for (;;) {
        try {
          service = await startService(app, env);
          return;
        } catch {
          await sleep(200);
        }
      }
    },
  };
}

function toTenant(postgres: LocalPostgres): Tenant {
  return {
    name: 'postgres',
    kill: () => postgres.kill(),
    restart: () => postgres.restart(),
    // Its backends are processes of their own; the chaos kills it and leaves stopping to the others
    pause: () => {},
    resume: () => {},
  };
}

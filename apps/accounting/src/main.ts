import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, runMain, watchConfig, type Config } from '@tokenhub/config';
import { createAccounting } from './create-accounting.ts';
import { readEnv, type AccountingEnv } from './env.ts';

const DEFAULT_CONFIG = './tokenhub.yaml';

await runMain(async () => {
  const env = readEnv();
  const accounting = await createAccounting({
    config: readConfig(env),
    redis: env.REDIS_URL,
    shards: env.TOKENHUB_SHARDS,
    databaseUrl: env.DATABASE_URL ?? `sqlite:${join(env.TOKENHUB_DATA_DIR, 'ledger.sqlite')}`,
    adminToken: env.TOKENHUB_ADMIN_TOKEN,
    keyPeppers: [env.TOKENHUB_KEY_PEPPER, env.TOKENHUB_KEY_PEPPER_PREVIOUS],
    host: env.ACCOUNTING_HOST,
    port: env.ACCOUNTING_PORT,
    logLevel: env.LOG_LEVEL,
    reconcileEveryMs: env.ACCOUNTING_RECONCILE_MS,
  });
  process.stdout.write(`accounting listening on ${accounting.url}\n`);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await (stopping ??= accounting.close());
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  watchConfig(env.TOKENHUB_CONFIG ?? DEFAULT_CONFIG, () => accounting.reload(readConfig(env)));
});

/** Without a file there is nothing to show limits of, and all else works. */
function readConfig({ TOKENHUB_CONFIG }: AccountingEnv): Config | undefined {
  const fileName = TOKENHUB_CONFIG ?? DEFAULT_CONFIG;
  if (TOKENHUB_CONFIG === undefined && !existsSync(fileName)) return undefined;
  return loadConfig(readFileSync(fileName, 'utf8'), { env: process.env, fileName });
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, runMain, watchConfig, type Config } from '@tokenhub/config';
import { createAccounting } from './create-accounting.ts';
import { readEnv } from './env.ts';

const DEFAULT_CONFIG = './tokenhub.yaml';

await runMain(async () => {
  const env = readEnv();
  const fileName = env.TOKENHUB_CONFIG ?? DEFAULT_CONFIG;
  /** Without a file there is nothing to show limits of, and all else works. */
  const read = (): Config | undefined =>
    env.TOKENHUB_CONFIG === undefined && !existsSync(fileName) ? undefined : readConfig(fileName, process.env);
  const accounting = await createAccounting({
    config: read(),
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

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await (stopping ??= accounting.close());
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  watchConfig(fileName, () => accounting.reload(read()), accounting.log);
});

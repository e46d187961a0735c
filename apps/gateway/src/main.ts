import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, runMain, type Config } from '@tokenhub/config';
import { createGateway } from './create-gateway.ts';
import { readEnv, type GatewaySettings } from './env.ts';

await runMain(async () => {
  const settings = readEnv();
  const gateway = await createGateway({
    config: readConfig(settings),
    redis: settings.REDIS_URL,
    databaseUrl: settings.DATABASE_URL ?? `sqlite:${join(settings.TOKENHUB_DATA_DIR, 'ledger.sqlite')}`,
    keyPepper: settings.TOKENHUB_KEY_PEPPER,
    host: settings.GATEWAY_HOST,
    port: settings.GATEWAY_PORT,
    logLevel: settings.LOG_LEVEL,
  });
  process.stdout.write(`gateway listening on ${gateway.url}\n`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    // Asked a second time, running streams get no more time.
    const drainMs = stopping ? 0 : 30_000;
    stopping = true;
    await gateway.close(drainMs);
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  process.on('SIGHUP', () => {
    try {
      gateway.reload(readConfig(settings));
      process.stdout.write('configuration reloaded\n');
    } catch (error) {
      process.stderr.write(
        `The configuration stays as it was:\n${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  });
});

function readConfig(settings: GatewaySettings): Config {
  const fileName = settings.TOKENHUB_CONFIG;
  return loadConfig(readFileSync(fileName, 'utf8'), { env: process.env, fileName });
}

import { join } from 'node:path';
import { readConfig, runMain, watchConfig } from '@tokenhub/config';
import { createGateway } from './create-gateway.ts';
import { readEnv } from './env.ts';

await runMain(async () => {
  const settings = readEnv();
  const read = () => readConfig(settings.TOKENHUB_CONFIG, process.env);
  const gateway = await createGateway({
    config: read(),
    redis: settings.REDIS_URL,
    shards: settings.TOKENHUB_SHARDS,
    spoolDirectory: join(settings.TOKENHUB_DATA_DIR, 'spool'),
    maxGateways: settings.GATEWAY_MAX_GATEWAYS,
    databaseUrl: settings.DATABASE_URL ?? `sqlite:${join(settings.TOKENHUB_DATA_DIR, 'ledger.sqlite')}`,
    keyPeppers: [settings.TOKENHUB_KEY_PEPPER, settings.TOKENHUB_KEY_PEPPER_PREVIOUS],
    host: settings.GATEWAY_HOST,
    port: settings.GATEWAY_PORT,
    logLevel: settings.LOG_LEVEL,
    maxRequests: settings.GATEWAY_MAX_REQUESTS,
  });

  const { GATEWAY_PRE_STOP_MS, GATEWAY_DRAIN_MS } = settings;
  let stopping = false;
  const stop = async (preStopMs: number): Promise<void> => {
    // Asked a second time, nothing gets any more time.
    const leave = stopping ? { preStopMs: 0, drainMs: 0 } : { preStopMs, drainMs: GATEWAY_DRAIN_MS };
    stopping = true;
    await gateway.close(leave);
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop(GATEWAY_PRE_STOP_MS));
  // A person at a terminal has no load balancer.
  process.on('SIGINT', () => void stop(0));
  watchConfig(settings.TOKENHUB_CONFIG, () => gateway.reload(read()), gateway.log);
});

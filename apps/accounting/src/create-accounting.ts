import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHealthBoard } from '@tokenhub/cluster';
import {
  cannotListen,
  hashesOfApiKey,
  OperatorError,
  type Config,
  type Peppers,
  type RedisConnection,
} from '@tokenhub/config';
import { collectRoutes, ErrorFilter, SERVER_OPTIONS } from '@tokenhub/http';
import { createKeyStore } from '@tokenhub/keys';
import { claimShards, createCounters, createOutbox, createRedisQuota, openLedger, TICKS_MS } from '@tokenhub/metering';
import { answersWithin, connectRedis } from '@tokenhub/redis';
import type { FastifyBaseLogger } from 'fastify';
import { AppModule } from './app.module.ts';
import { acceptEmptyBodies } from './http/empty-bodies.ts';
import { guardAdminRoutes } from './http/admin-guard.ts';
import type { Readiness } from './http/health.controller.ts';
import { createAccountingMetrics } from './metrics.ts';
import { createCorrectionDesk } from './operator/correction-desk.ts';
import { createKeyDesk } from './operator/key-desk.ts';
import { createQuotaReader } from './operator/quota-reader.ts';
import { createScopeDirectory } from './operator/scope-directory.ts';
import { toReconcileItems } from './operator/to-reconcile-item.ts';
import { createReconciler } from './reconcile/reconcile.ts';
import { createSettleCostEvents } from './settle-cost-events.ts';
import {
  CORRECTION_DESK,
  HEALTH_BOARD,
  KEY_DESK,
  LEDGER,
  METRICS,
  QUOTA_READER,
  READINESS,
  RECONCILER,
  SCOPE_DIRECTORY,
} from './tokens.ts';
import { inspectStore } from './inspect-store.ts';
import { startWorkers } from './workers/start-workers.ts';

export interface AccountingSettings {
  /** Keys and organisations whose quotas can be read; without it no limits are known but those of keys made here. */
  readonly config?: Config | undefined;
  readonly redis: RedisConnection;
  /** Over how many shards of the store organisations are spread, as for the gateways. @defaultValue 1 */
  readonly shards?: number | undefined;
  /** `sqlite:PATH` or `postgres://…`. */
  readonly databaseUrl: string;
  /** Bearer token of everything under `/admin/`. */
  readonly adminToken: string;
  /** Secrets under which API keys are hashed; the gateways have the same. */
  readonly keyPeppers: Peppers;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logLevel: string;
  /** How often counters are compared with the ledger and put right. @defaultValue 60_000 */
  readonly reconcileEveryMs?: number | undefined;
}

/** Accounting that listens and works. */
export interface Accounting {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** Where all of it is logged. */
  readonly log: FastifyBaseLogger;
  /** Puts another configuration in force. */
  reload(config: Config | undefined): void;
  /** Ends the running slices of work, then everything else. */
  close(): Promise<void>;
}

/** Longest wait for an answer when asked whether this process is ready. */
const READY_TIMEOUT_MS = 1000;
const NO_CONFIG =
  'Without a configuration file static keys, models and the limits of users, teams and organisations are not known here: set TOKENHUB_CONFIG as for the gateways';

/** Builds everything that accounting is made of, and listens. */
export async function createAccounting(settings: AccountingSettings): Promise<Accounting> {
  const adapter = new FastifyAdapter({ ...SERVER_OPTIONS, logger: { level: settings.logLevel, name: 'accounting' } });
  const fastify = adapter.getInstance();
  const warn = (error: unknown) =>
    fastify.log.warn({ err: error }, 'accounting could not do its work, and tries again');

  let config: Config | undefined;
  const use = (next: Config | undefined): void => {
    config = next;
    if (next === undefined) fastify.log.warn(NO_CONFIG);
  };
  use(settings.config);
  const { keyPeppers, shards = 1 } = settings;
  const redis = await connectRedis(settings.redis, warn);
  await claimShards(redis, shards).catch((cause: unknown) => {
    throw new OperatorError(`TOKENHUB_SHARDS ${cause instanceof Error ? cause.message : 'could not be checked'}.`, {
      cause,
    });
  });
  const ledger = openLedger(settings.databaseUrl);
  const quota = createRedisQuota({ redis, shards });
  const counters = createCounters({ redis, ledger });
  const keys = createKeyStore({ redis, peppers: keyPeppers });
  const scopes = createScopeDirectory({ config: () => config, keys });
  const outboxes = Array.from({ length: shards }, (_, shard) => createOutbox({ redis, shard }));
  const metrics = createAccountingMetrics(async () => {
    const lengths = await Promise.all(outboxes.map((outbox) => outbox.length()));
    return lengths.reduce((sum, length) => sum + length, 0);
  });
  const readiness: Readiness = {
    async check() {
      const [redisAnswers, ledgerAnswers] = await Promise.all([
        answersWithin(redis.ping(), READY_TIMEOUT_MS),
        answersWithin(ledger.countDeadLetters(), READY_TIMEOUT_MS),
      ]);
      return { redis: redisAnswers, ledger: ledgerAnswers };
    },
  };

  const reconciler = createReconciler({ counters, outboxes, ledger, now: Date.now, sleep });
  const look = (): void => {
    inspectStore(redis).then(({ warnings }) => warnings.forEach((warning) => fastify.log.warn(warning)), warn);
  };

  const settle = outboxes.map((outbox) => createSettleCostEvents({ outbox, ledger, now: Date.now }));
  const workers = startWorkers({
    redis: settings.redis,
    shards,
    async drain(shard) {
      const result = await settle[shard]?.();
      if (result === undefined) return;
      metrics.recordDrain(result);
      if (result.deadLetters > 0)
        fastify.log.error({ shard, count: result.deadLetters }, 'cost events became dead letters');
    },
    sweep: async () => metrics.recordSweep(await quota.sweep()),
    reconcileEveryMs: settings.reconcileEveryMs ?? TICKS_MS.reconcile,
    async reconcile() {
      const report = await reconciler.repair();
      metrics.recordReconciliation(report);
      for (const item of toReconcileItems(report)) fastify.log.error(item, 'counters and ledger do not agree');
    },
    onError: warn,
  });
  await workers.schedule();
  look();
  // A store that was away may be another one, and so may a node of a cluster
  redis.on('ready', look);
  redis.on('+node', look);

  const routes = collectRoutes(fastify);
  acceptEmptyBodies(fastify);
  guardAdminRoutes(fastify, {
    adminToken: settings.adminToken,
    isCallerKey(secret) {
      if (secret.startsWith('tokenhub_')) return true;
      const hashes: readonly (string | undefined)[] = hashesOfApiKey(secret, keyPeppers);
      return config?.keys.some(({ key, keyHash }) => key === secret || hashes.includes(keyHash)) ?? false;
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with([
      { provide: LEDGER, useValue: ledger },
      { provide: QUOTA_READER, useValue: createQuotaReader({ quota, counters, shards }) },
      { provide: HEALTH_BOARD, useValue: createHealthBoard({ redis }) },
      { provide: SCOPE_DIRECTORY, useValue: scopes },
      {
        provide: KEY_DESK,
        useValue: createKeyDesk({ config: () => config, store: keys, scopes: shards > 1 ? scopes : undefined }),
      },
      { provide: RECONCILER, useValue: reconciler },
      { provide: CORRECTION_DESK, useValue: createCorrectionDesk({ ledger, counters, now: Date.now }) },
      { provide: READINESS, useValue: readiness },
      { provide: METRICS, useValue: metrics },
    ]),
    adapter,
    { logger: false },
  );
  app.useGlobalFilters(new ErrorFilter({ routes }));
  const { host, port } = settings;
  await app.listen(port, host).catch((cause: unknown) => {
    throw cannotListen(cause, { variable: 'ACCOUNTING_PORT', host, port });
  });

  return {
    app,
    url: urlOf(host, app),
    log: fastify.log,
    reload: use,
    async close() {
      // Without a store there is nobody to take leave of, and BullMQ would wait for one
      await workers.close({ force: redis.status !== 'ready' });
      await app.close();
      await ledger.close();
      redis.disconnect();
    },
  };
}

function urlOf(host: string, app: NestFastifyApplication): string {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

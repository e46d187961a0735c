import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Config, RedisConnection } from '@tokenhub/config';
import { anthropicDialect, createHealth, openaiDialect, type Dialect } from '@tokenhub/core';
import { collectRoutes, ErrorFilter, SERVER_OPTIONS } from '@tokenhub/http';
import { createRedisQuota, openLedger } from '@tokenhub/metering';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Redis } from 'ioredis';
import { createAuthenticator, type Authenticator } from './admission/authenticate.ts';
import { createReservations } from './admission/reservations.ts';
import { AppModule } from './app.module.ts';
import { createCatalog, type Catalog } from './catalog.ts';
import type { ChatServices } from './complete-chat.ts';
import type { Readiness } from './http/health.controller.ts';
import { guardRoutes } from './http/guard-routes.ts';
import { serveApiDocument } from './http/api-document.ts';
import { createLazyLedger } from './lazy-ledger.ts';
import { createChatMetrics } from './metrics.ts';
import { createExchanges } from './relay/exchanges.ts';
import { createHeartbeat } from './relay/heartbeat.ts';
import { CHAT_SERVICES, LEDGER, READINESS } from './tokens.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly redis: RedisConnection;
  /** `sqlite:PATH`. */
  readonly databaseUrl: string;
  /** Secret under which API keys are hashed. */
  readonly keyPepper: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logLevel: string;
}

/** A gateway that listens. */
export interface Gateway {
  readonly url: string;
  /** Puts another configuration in force; running requests end under the one they began with. */
  reload(config: Config): void;
  /**
   * Takes no new chats, lets running ones end for at most `drainMs` (30 s if absent), ends the rest with an error event,
   * settles all, and stops. A second call may be less patient.
   */
  close(drainMs?: number): Promise<void>;
}

/** Longest wait at the end for settlements that the store has not confirmed yet. */
const SETTLE_MS = 5_000;

/** The composition root: builds everything a gateway is made of, and listens. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { keyPepper } = options;
  const adapter = new FastifyAdapter({ ...SERVER_OPTIONS, logger: { level: options.logLevel } });
  const fastify = adapter.getInstance();
  const log = fastify.log;

  const redis = await connectRedis(options.redis, (error) =>
    log.warn({ err: error }, 'the connection to Redis failed'),
  );
  const quota = createRedisQuota({ redis });
  const ledger = createLazyLedger(() => openLedger(options.databaseUrl, { readOnly: true }));
  const reservations = createReservations(quota, (error) =>
    log.warn({ err: error }, 'the quota store did not confirm'),
  );
  const exchanges = createExchanges();
  const heartbeat = createHeartbeat(() => performance.now());
  let catalog: Catalog = createCatalog(options.config);
  let authenticator: Authenticator = createAuthenticator(options.config.keys, keyPepper);
  let draining = false;

  const metrics = createChatMetrics(
    { openExchanges: () => exchanges.size, openStreams: () => heartbeat.size, unsettled: () => reservations.unsettled },
    log,
  );
  const services: ChatServices = {
    catalog: () => catalog,
    quota,
    reservations,
    health: createHealth({ now: () => performance.now() }),
    exchanges,
    heartbeat,
    metrics,
  };
  const readiness: Readiness = {
    check: async () => ({ serving: !draining, redis: await answers(redis) }),
  };

  const routes = collectRoutes(fastify);
  guardRoutes(fastify, { authenticate: (headers) => authenticator.authenticate(headers), isDraining: () => draining });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with([
      { provide: CHAT_SERVICES, useValue: services },
      { provide: LEDGER, useValue: ledger },
      { provide: READINESS, useValue: readiness },
    ]),
    adapter,
    { bodyParser: false, logger: false },
  );
  app.useGlobalFilters(new ErrorFilter({ routes, dialectOf }));
  serveApiDocument(app);
  await app.listen(options.port, options.host);
  const address: unknown = app.getHttpServer().address();
  const port = isAddressInfo(address) ? address.port : options.port;

  let closed: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await reservations.close(SETTLE_MS);
    heartbeat.stop();
    await app.close();
    await catalog.close();
    await ledger.close();
    redis.disconnect();
  };

  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    reload(config) {
      const old = catalog;
      catalog = createCatalog(config);
      authenticator = createAuthenticator(config.keys, keyPepper);
      // Waits for the answers that are still coming in.
      old.close().catch((error: unknown) => log.warn({ err: error }, 'connections to providers did not close'));
    },
    close(drainMs = 30_000) {
      draining = true;
      const drained = exchanges.drain(drainMs);
      closed ??= drained.then(stop);
      return closed;
    },
  };
}

/** Errors of an address come in the dialect that its callers read. */
function dialectOf(path: string): Dialect {
  return path.endsWith('/v1/messages') ? anthropicDialect : openaiDialect;
}

function isAddressInfo(address: unknown): address is AddressInfo {
  return typeof address === 'object' && address !== null && 'port' in address;
}

async function connectRedis(connection: RedisConnection, onError: (error: Error) => void): Promise<Redis> {
  const redis = new Redis({
    ...connection,
    lazyConnect: true,
    // All commands of one turn of the event loop go out in one write.
    enableAutoPipelining: true,
    // Whoever waits for admission would rather hear "unavailable" now than "granted" when Redis is back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
  });
  redis.on('error', onError);
  await redis.connect();
  return redis;
}

async function answers(redis: Redis): Promise<boolean> {
  try {
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  }
}

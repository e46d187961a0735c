import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  cannotListen,
  findSharedOwner,
  OperatorError,
  type Config,
  type Peppers,
  type RedisConnection,
} from '@tokenhub/config';
import { createRetryBudget } from '@tokenhub/core';
import { collectRoutes, ErrorFilter, SERVER_OPTIONS } from '@tokenhub/http';
import { createKeyStore, listenForKeyChanges } from '@tokenhub/keys';
import { claimShards, openLedger } from '@tokenhub/metering';
import { answersWithin, connectRedis } from '@tokenhub/redis';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyBaseLogger } from 'fastify';
import { createAuthFailures } from './admission/auth-failures.ts';
import { createAuthenticator, type Authenticator } from './admission/authenticate.ts';
import { readResources, toCapacity } from './admission/capacity.ts';
import { createGate } from './admission/gate.ts';
import { createMadeKeys } from './admission/made-keys.ts';
import { createQuota } from './admission/create-quota.ts';
import { AppModule } from './app.module.ts';
import { createCatalog, type Catalog } from './catalog.ts';
import type { ChatServices } from './complete-chat.ts';
import type { Readiness } from './http/health.controller.ts';
import { dialectOf } from './http/dialect-of.ts';
import { guardRoutes } from './http/guard-routes.ts';
import { tellRequestIds } from './http/tell-request-ids.ts';
import { serveApiDocument } from './http/api-document.ts';
import { createChatMetrics } from './metrics.ts';
import { createExchanges } from './relay/exchanges.ts';
import { createSharedHealth } from './shared-health.ts';
import { createShutdown, type Leave } from './shutdown.ts';
import { CHAT_SERVICES, LEDGER, READINESS } from './tokens.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly redis: RedisConnection;
  /** Over how many shards of the store organisations are spread, as for accounting. @defaultValue 1 */
  readonly shards?: number | undefined;
  /** `sqlite:PATH` or `postgres://…`. */
  readonly databaseUrl: string;
  /** Where settlements are kept while the store is away; gateways of one machine may share it. */
  readonly spoolDirectory: string;
  /** Gateways that share the limits while the store is away. @defaultValue 4 */
  readonly maxGateways?: number | undefined;
  /** Secrets under which API keys are hashed. */
  readonly keyPeppers: Peppers;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logLevel: string;
  /** Most chat requests in flight; absent: what memory and open files allow. */
  readonly maxRequests?: number | undefined;
  /** How long a key made at run time is remembered without asking again, in milliseconds. @defaultValue 30_000 */
  readonly keyTtlMs?: number | undefined;
}

/** A gateway that listens. */
export interface Gateway {
  readonly url: string;
  /** Where all of it is logged. */
  readonly log: FastifyBaseLogger;
  /** Puts another configuration in force; running requests end under the one they began with. */
  reload(config: Config): void;
  /**
   * Is not ready any more, then takes no new chats, lets running ones end until its time is up, ends the rest with an error
   * event, settles all, and stops. A second call may be less patient.
   */
  close(leave: Leave): Promise<void>;
}

/** Longest wait at the end for settlements that the store has not confirmed yet. */
const SETTLE_MS = 5_000;
/** Longest wait for an answer when asked whether this process is ready. */
const READY_TIMEOUT_MS = 1_000;
/** Longest that a key outlives its end where no change of keys is heard. */
const KEY_TTL_MS = 30_000;
/** Longest wait for the store when a key is looked up. */
const KEY_LOOK_UP_MS = 250;

/** The composition root: builds everything a gateway is made of, and listens. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { keyPeppers, shards = 1 } = options;
  const adapter = new FastifyAdapter({ ...SERVER_OPTIONS, logger: { level: options.logLevel, name: 'gateway' } });
  const fastify = adapter.getInstance();
  const log = fastify.log;

  const redis = await connectRedis(options.redis, (error) =>
    log.warn({ err: error }, 'the connection to Redis failed'),
  );
  await claimShards(redis, shards).catch((cause: unknown) => {
    throw new OperatorError(`TOKENHUB_SHARDS ${cause instanceof Error ? cause.message : 'could not be checked'}.`, {
      cause,
    });
  });
  const ledger = openLedger(options.databaseUrl, { readOnly: true });
  const { spoolDirectory, maxGateways } = options;
  const admission = createQuota({ redis, shards, ledger, spoolDirectory, maxGateways, log });
  const { quota, reservations, topUps } = admission;
  const cluster = createSharedHealth(redis, (error) =>
    log.warn({ err: error }, 'the gateways of the cluster could not be reached'),
  );
  const capacity = toCapacity(readResources(), options.maxRequests);
  const exchanges = createExchanges(() => performance.now());
  const shutdown = createShutdown(exchanges);
  const gate = createGate({ capacity, inFlight: exchanges, isClosed: () => shutdown.refuses });
  mustFit(options.config, shards);
  let catalog: Catalog = createCatalog(options.config);
  const onKeyStoreError = (error: unknown) => log.warn({ err: error }, 'the store of the API keys did not answer');
  const made = createMadeKeys({
    store: createKeyStore({ redis, peppers: keyPeppers, answerTimeoutMs: KEY_LOOK_UP_MS }),
    ttlMs: options.keyTtlMs ?? KEY_TTL_MS,
    now: () => performance.now(),
    onError: onKeyStoreError,
  });
  const keyChanges = listenForKeyChanges({
    redis,
    onChange: (id) => made.forget(id),
    onListening: () => made.forgetAll(),
    onError: onKeyStoreError,
  });
  const failures = createAuthFailures(() => performance.now());
  const authenticatorOf = ({ keys }: Config): Authenticator =>
    createAuthenticator({ keys, peppers: keyPeppers, made, failures });
  let authenticator = authenticatorOf(options.config);

  const metrics = createChatMetrics(
    {
      openExchanges: () => exchanges.size,
      openStreams: () => exchanges.streams,
      unsettled: () => reservations.unsettled,
      spooled: () => admission.spooled,
      storeIsUp: () => (admission.isAway ? 0 : 1),
      degraded: () => quota.degraded,
      shed: () => gate.refused,
      deployments: () => cluster.health.snapshot(),
    },
    log,
  );
  const services: ChatServices = {
    catalog: () => catalog,
    quota,
    reservations,
    topUps,
    health: cluster.health,
    retryBudget: createRetryBudget(),
    exchanges,
    gate,
    metrics,
  };
  const readiness: Readiness = {
    check: async () => ({ serving: !shutdown.hasBegun, redis: await answersWithin(redis.ping(), READY_TIMEOUT_MS) }),
  };

  const routes = collectRoutes(fastify);
  tellRequestIds(fastify);
  guardRoutes(fastify, {
    authenticate: (headers, address) => authenticator.authenticate(headers, address),
    shutdown,
    gate,
  });
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
  fastify.server.maxConnections = capacity.connections;
  const { host, port: wantedPort } = options;
  await app.listen(wantedPort, host).catch((cause: unknown) => {
    throw cannotListen(cause, { variable: 'GATEWAY_PORT', host, port: wantedPort });
  });
  const address: unknown = app.getHttpServer().address();
  const port = isAddressInfo(address) ? address.port : wantedPort;

  const retainHealth = (): void => cluster.health.retain(new Set(catalog.candidates.map(({ id }) => id)));
  let closed: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await admission.close(SETTLE_MS);
    exchanges.stop();
    await app.close();
    await catalog.close();
    await ledger.close();
    await cluster.close();
    keyChanges.close();
    redis.disconnect();
  };

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    log,
    reload(config) {
      mustFit(config, shards);
      const old = catalog;
      catalog = createCatalog(config);
      authenticator = authenticatorOf(config);
      made.forgetAll();
      retainHealth();
      // Requests that began before may still have to ask their providers.
      exchanges
        .ended()
        .then(() => {
          retainHealth();
          return old.close();
        })
        .catch((error: unknown) => log.warn({ err: error }, 'connections to providers did not close'));
    },
    close(leave) {
      const left = shutdown.begin(leave);
      closed ??= left.then(stop);
      return closed;
    },
  };
}

/** @throws OperatorError when a user or a team would be counted in two shards. */
function mustFit({ keys }: Config, shards: number): void {
  const shared = shards > 1 ? findSharedOwner(keys) : undefined;
  if (shared === undefined) return;
  const { owner, id, orgs } = shared;
  const reason = `With TOKENHUB_SHARDS above 1 a ${owner} belongs to one organisation`;
  throw new OperatorError(`${reason}, and keys of the ${owner} ${id} are of ${orgs.join(' and ')}.`);
}

function isAddressInfo(address: unknown): address is AddressInfo {
  return typeof address === 'object' && address !== null && 'port' in address;
}

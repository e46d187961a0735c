import { isIP } from 'node:net';
import { Pool, type Dispatcher } from 'undici';
import type { HttpAnswer, HttpClient, HttpRequest } from '../providers/http-client.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { UndiciExchange } from './undici-exchange.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { isAllowed } from './provider-address.ts';

/** How a client connects to one origin. */
export interface UndiciHttpClientOptions {
  /** Scheme, host and port of the provider. */
  readonly origin: string;
  /** Longest wait for a connection, TLS included. @defaultValue 5_000 */
  readonly connectTimeoutMs?: number;
  /** Longest silence between two reads of a body, unless the request says otherwise. @defaultValue 120_000 */
  readonly idleTimeoutMs?: number;
  /** Most connections to this provider at a time; further requests wait for one, as long as for a new one. @defaultValue 512 */
  readonly maxConnections?: number;
  /** The provider may have an address on loopback or in a private range. @defaultValue false */
  readonly allowPrivate?: boolean;
}

/** An {@link HttpClient} on a pool of kept-alive undici connections to one origin. No redirects, no compression, no pipelining. */
export interface UndiciHttpClient extends HttpClient {
  /** Ends idle connections at once and busy ones when their answers have ended. */
  close(): Promise<void>;
}

/** @throws TypeError when the origin is an IP address that a provider may not have. */
export function createUndiciHttpClient(options: UndiciHttpClientOptions): UndiciHttpClient {
  const {
    origin,
    connectTimeoutMs = 5_000,
    idleTimeoutMs = 120_000,
    maxConnections = 512,
    allowPrivate = false,
  } = options;
  // A lookup is made for names only; an address in its place is judged here.
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isAllowed(host, allowPrivate)) throw new TypeError(`${host} is not allowed for a provider`);

  const pool = new Pool(origin, {
    connections: maxConnections,
    pipelining: 1,
    // undici's own default of 4 s would make most requests of a quiet hour pay for a new TLS handshake.
    keepAliveTimeout: 30_000,
    keepAliveMaxTimeout: 60_000,
    // The guard judges the address that is about to be connected to, so a name cannot change its answer in between.
    connect: { timeout: connectTimeoutMs, noDelay: true, lookup: guardedLookup({ allowPrivate }) },
    allowH2: false,
  });
  const slots = new ConnectionSlots(maxConnections, connectTimeoutMs);
  const onEnd = (exchange: UndiciExchange): void => slots.leave(exchange);
  return {
    post(request: HttpRequest): Promise<HttpAnswer> {
      return new Promise((resolve, reject) => {
        const { signal, headersTimeoutMs } = request;
        const exchange = new UndiciExchange({ signal, headersTimeoutMs, answer: resolve, fail: reject, onEnd });
        if (exchange.over) return;
        const dispatch: Dispatcher.DispatchOptions = {
          path: request.url.pathname + request.url.search,
          method: 'POST',
          headers: request.headers,
          body: request.body,
          // The exchange has its own, which also counts the wait for a connection.
          headersTimeout: 0,
          bodyTimeout: request.idleTimeoutMs ?? idleTimeoutMs,
        };
        slots.enter(exchange, () => pool.dispatch(dispatch, exchange));
      });
    },
    close: () => pool.close(),
  };
}

/**
 * Everything that can go wrong, in one table. A code is stable: programs read it (as `reason` in an error body), people
 * read the message. Statuses and slugs are those of the public contract.
 *
 * - `status`: the HTTP status that a caller sees.
 * - `type`: OpenAI's error type of that status.
 * - `failover`: before the commit point, does the next candidate get its turn? `larger`: only one with a larger context window.
 * - `blamesProvider`: does it count against the deployment's health?
 * - `transient`: may the same deployment serve if it is asked again in a moment?
 */
export const ERRORS = {
  // The caller's request
  invalid_request: caller(400),
  invalid_json: caller(400),
  invalid_utf8: caller(400),
  json_too_deep: caller(400),
  invalid_parameter: caller(400),
  unknown_parameter: caller(400),
  /** The candidate's dialect has no words for it; another's may. */
  unsupported_parameter: { ...caller(400), failover: 'next' },
  malformed_request: caller(400),
  context_length_exceeded: { ...caller(400), failover: 'larger' },
  /** The provider refused the request itself; another would too. */
  upstream_rejected: caller(400),
  ambiguous_credentials: caller(400, 'authentication_error'),
  missing_api_key: caller(401, 'authentication_error'),
  invalid_api_key: caller(401, 'authentication_error'),
  key_revoked: caller(401, 'authentication_error'),
  key_expired: caller(401, 'authentication_error'),
  forbidden: caller(403, 'permission_error'),
  not_found: caller(404, 'not_found_error'),
  model_not_found: caller(404, 'not_found_error'),
  /** A conversation that the caller takes to be held here; its client sends the whole of it again. */
  thread_not_found: caller(404, 'not_found_error'),
  method_not_allowed: caller(405),
  request_timeout: caller(408),
  /** What is asked for does not go with what is there already. */
  conflict: caller(409),
  payload_too_large: caller(413),
  uri_too_long: caller(414),
  unsupported_media_type: caller(415),
  unsupported_encoding: caller(415),
  /** Too many keys that are not valid, from one address. */
  too_many_auth_failures: caller(429, 'rate_limit_error'),
  headers_too_large: caller(431),

  // Quotas
  budget_exceeded: caller(402, 'insufficient_quota'),
  rate_limit_exceeded: caller(429, 'rate_limit_error'),
  request_exceeds_limit: caller(429, 'rate_limit_error'),
  quota_unavailable: ours(503),
  /** What has been booked cannot be read now; what is being booked is not lost. */
  ledger_unavailable: ours(503),

  // Providers
  upstream_auth: provider(502),
  /** No connection to it was free in time: a bound of ours, no fault of the provider. */
  upstream_busy: { ...ours(503), failover: 'next' },
  upstream_rate_limited: { ...provider(429), type: 'rate_limit_error', blamesProvider: false },
  upstream_unavailable: { ...provider(502), transient: true },
  upstream_protocol: provider(502),
  upstream_disconnected: { ...provider(502), transient: true },
  upstream_timeout: provider(504),
  /** The provider itself said inside the stream that it failed. */
  upstream_error: { ...provider(502), transient: true },

  // The gateway
  no_upstream: ours(503),
  /** This process serves as many as it can, or has no sockets left. */
  overloaded: ours(503),
  /** It is ending and takes nothing new. */
  shutting_down: ours(503),
  /** It ended before the answer was whole. */
  gateway_shutdown: ours(503),
  internal_error: ours(500),
  /** The caller left; nobody reads an answer. 499 appears only in logs and metrics. */
  client_cancelled: caller(499),
  /** The caller did not read what it had asked for. */
  client_stalled: caller(499),
} as const satisfies Record<string, ErrorFacts>;

/** What is known of an error by its code. */
export interface ErrorFacts {
  readonly status: number;
  readonly type: string;
  readonly failover: 'no' | 'next' | 'larger';
  readonly blamesProvider: boolean;
  readonly transient: boolean;
}

/** The stable name of what went wrong. */
export type ErrorCode = keyof typeof ERRORS;

/** The limit that refused a request, as its caller is told: counts as numbers, money as decimal strings of USD. */
export interface ExceededQuota {
  /** Whose limit it is, such as `key:demo`. */
  readonly scope: string;
  /** What is limited, such as `tokens` or `day`. */
  readonly dimension: string;
  readonly limit: number | string;
  /** Of the limit, in its window or period. */
  readonly used: number | string;
  /** Held beside it by requests that are running. */
  readonly reserved: number | string;
  /** When the limit is free again; milliseconds since 1970. */
  readonly resetAt: number;
}

/** What an error may say beside its code and message. */
export interface GatewayErrorOptions {
  /** Path of the request's member that is wrong, as in `messages[0].role`. */
  readonly param?: string | undefined;
  /** What happened underneath; kept for the log, never sent out. */
  readonly cause?: unknown;
  /** Milliseconds after which a further try makes sense. */
  readonly retryAfterMs?: number | undefined;
  /** The status that the provider answered, when one did. */
  readonly upstreamStatus?: number | undefined;
  /** The limit that was reached, when it is one's fault. */
  readonly quota?: ExceededQuota | undefined;
}

const BRAND = Symbol.for('tokenhub.GatewayError');

/** The one error class. `message` says what is wrong and what would be right, and holds nothing that a caller may not see. */
export class GatewayError extends Error {
  readonly [BRAND] = true;
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly upstreamStatus: number | undefined;
  readonly quota: ExceededQuota | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.upstreamStatus = options.upstreamStatus;
    this.quota = options.quota;
  }

  /** The table's row of this error's code. */
  get facts(): ErrorFacts {
    return ERRORS[this.code];
  }
}

/** True for a {@link GatewayError}, also one of another copy of this package in the same process. */
export function isGatewayError(error: unknown): error is GatewayError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

function caller(status: number, type = 'invalid_request_error'): ErrorFacts {
  return { status, type, failover: 'no', blamesProvider: false, transient: false };
}

function provider(status: number): ErrorFacts {
  return { status, type: 'upstream_error', failover: 'next', blamesProvider: true, transient: false };
}

function ours(status: number): ErrorFacts {
  return { status, type: 'server_error', failover: 'no', blamesProvider: false, transient: false };
}

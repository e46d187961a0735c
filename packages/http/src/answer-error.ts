import type { ServerResponse } from 'node:http';
import type { Dialect, GatewayError } from '@tokenhub/core';

/** `Retry-After` is never longer, so that callers look again before long. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

export interface ErrorContext {
  readonly dialect: Dialect;
  readonly requestId: string;
  /** Headers the answer has anyway, names and values in turn. */
  readonly headers: readonly string[];
}

/** The one place where an error becomes an HTTP answer. */
export function answerError(
  response: ServerResponse,
  error: GatewayError,
  { dialect, requestId, headers }: ErrorContext,
): void {
  const body = JSON.stringify(dialect.writeError(error, requestId));
  response.writeHead(error.facts.status, [
    ...headers,
    ...headersOf(error),
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ]);
  response.end(body);
}

/** What an error says in headers: who should come again, and when. */
function headersOf({ code, facts, retryAfterMs }: GatewayError): string[] {
  const headers: string[] = [];
  if (facts.status === 401) headers.push('WWW-Authenticate', 'Bearer');
  // Clients that heed it do not try again what cannot succeed.
  if (code === 'budget_exceeded' || code === 'request_exceeds_limit') headers.push('x-should-retry', 'false');
  const waitMs = retryAfterMs ?? (facts.status === 503 ? 1_000 : undefined);
  if (waitMs !== undefined) {
    const seconds = Math.min(LONGEST_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(waitMs / 1000)));
    headers.push('Retry-After', String(seconds), 'retry-after-ms', String(Math.min(waitMs, seconds * 1000)));
  }
  if (code === 'shutting_down' || code === 'payload_too_large' || code === 'request_timeout')
    headers.push('Connection', 'close');
  return headers;
}

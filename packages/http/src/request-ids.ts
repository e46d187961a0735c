import { randomUUID } from 'node:crypto';

/** An id of ours for one request: `req_` and 32 hexadecimal digits, 122 random bits of them. */
export function createRequestId(): string {
  // Node makes UUIDs in batches; random bytes of its own for each request would cost ten times as much.
  return `req_${randomUUID().replaceAll('-', '')}`;
}

/** The caller's own request id when it is well formed; anything else is ignored. */
export function readClientRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(header) ? header : undefined;
}

import { randomBytes } from 'node:crypto';

/** An id of ours for one request: `req_` and 24 characters of base64url, 144 random bits. */
export function createRequestId(): string {
  return `req_${randomBytes(18).toString('base64url')}`;
}

/** The caller's own request id when it is well formed; anything else is ignored. */
export function readClientRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(header) ? header : undefined;
}

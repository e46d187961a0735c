import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { hashApiKey, hashesOfApiKey, hasValidChecksum, type KeyConfig, type Peppers } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { AuthFailures } from './auth-failures.ts';
import type { FoundKey, MadeKeys } from './made-keys.ts';

/** Keys longer than this are nobody's. */
const MAX_KEY_LENGTH = 256;

const REFUSALS = {
  unknown: [
    'invalid_api_key',
    'The API key is not valid. Send a key of this TokenHub as "Authorization: Bearer tokenhub_…".',
  ],
  revoked: ['key_revoked', 'The API key has been revoked. Ask for a new one.'],
  expired: ['key_expired', 'The API key has expired. Ask for a new one.'],
} as const;

/** Tells who a caller is. */
export interface Authenticator {
  /**
   * @param address of the caller's socket
   * @returns a promise only for a key that was made at run time and has to be looked up
   * @throws GatewayError `missing_api_key`, `invalid_api_key`, `key_revoked`, `key_expired`, `ambiguous_credentials`,
   * `too_many_auth_failures`, `quota_unavailable`; so does the promise.
   */
  authenticate(headers: IncomingHttpHeaders, address: string): KeyConfig | Promise<KeyConfig>;
}

export interface AuthenticatorOptions {
  /** Keys of the configuration. */
  readonly keys: readonly KeyConfig[];
  readonly peppers: Peppers;
  /** All others. */
  readonly made: Pick<MadeKeys, 'peek' | 'lookUp'>;
  readonly failures: AuthFailures;
}

/**
 * Looks callers up by the HMAC of their key, so that neither this process's memory nor the time an answer takes tells
 * anything of a key.
 */
export function createAuthenticator({ keys, peppers, made, failures }: AuthenticatorOptions): Authenticator {
  const byHash = new Map(keys.map((key) => [key.keyHash ?? hashApiKey(key.key ?? '', peppers[0]), key]));
  /** Keys that have been seen and found good, by their plain digest, which takes a fifth of the time. */
  const known = new Map<string, KeyConfig>();

  function findStatic(secret: string): KeyConfig | undefined {
    const [mac, previousMac = ''] = hashesOfApiKey(secret, peppers);
    return byHash.get(mac) ?? byHash.get(previousMac);
  }

  function find(secret: string): FoundKey | Promise<FoundKey> {
    if (secret.length > MAX_KEY_LENGTH) return 'unknown';
    const digest = hash('sha256', secret, 'base64');
    const remembered = known.get(digest) ?? made.peek(digest);
    if (remembered !== undefined) return remembered;
    const key = findStatic(secret);
    if (key !== undefined) {
      known.set(digest, key);
      return key;
    }
    // What was mistyped or made up costs no look-up
    return hasValidChecksum(secret) ? made.lookUp(digest, secret) : 'unknown';
  }

  function admit(found: FoundKey, address: string): KeyConfig {
    if (typeof found === 'object' && !(found.expiresAt !== undefined && found.expiresAt <= Date.now())) return found;
    const [code, message] = REFUSALS[typeof found === 'object' ? 'expired' : found];
    throw failures.count(address) ?? new GatewayError(code, message);
  }

  return {
    authenticate(headers, address) {
      const found = find(readSecret(headers));
      return found instanceof Promise ? found.then((key) => admit(key, address)) : admit(found, address);
    },
  };
}

function readSecret(headers: IncomingHttpHeaders): string {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const header = headers['x-api-key'];
  const apiKey = typeof header === 'string' && header !== '' ? header : undefined;
  if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey) {
    throw new GatewayError(
      'ambiguous_credentials',
      'Authorization and x-api-key hold different keys. Send one of them.',
    );
  }
  const secret = bearer ?? apiKey;
  if (secret === undefined) {
    throw new GatewayError(
      'missing_api_key',
      'No API key was sent. Send "Authorization: Bearer tokenhub_…" or "x-api-key: tokenhub_…".',
    );
  }
  return secret;
}

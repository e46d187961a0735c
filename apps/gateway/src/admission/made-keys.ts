import type { KeyConfig } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { KeyStore } from '@tokenhub/keys';

/** What is known of a secret: whose it is, that it opens nothing any more, or that it is nobody's. */
export type FoundKey = KeyConfig | 'revoked' | 'unknown';

/** The keys that operators have made at run time, as this gateway knows them. */
export interface MadeKeys {
  /** What is remembered of a secret, by its digest; `undefined` when it must be looked up. */
  peek(digest: string): FoundKey | undefined;
  /**
   * Asks the store, once for all who ask at the same time, and remembers the answer.
   * @throws GatewayError `quota_unavailable` when the store does not answer in time.
   */
  lookUp(digest: string, secret: string): Promise<FoundKey>;
  /** Forgets a key that has changed. */
  forget(id: string): void;
  /** Forgets everything. */
  forgetAll(): void;
}

export interface MadeKeysOptions {
  readonly store: Pick<KeyStore, 'findBySecret'>;
  /** How long an answer is remembered: the longest that a key outlives its end when no change is heard, in milliseconds. */
  readonly ttlMs: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Is told when the store did not answer. */
  readonly onError: (error: unknown) => void;
}

/** Most keys, and most secrets of nobody, that are remembered; those that were looked up first are forgotten first. */
const MAX_REMEMBERED = 10_000;

interface Remembered {
  readonly id: string | undefined;
  readonly found: FoundKey;
  readonly until: number;
}

/** Remembers by a plain digest, which a secret of 256 random bits is safe behind. */
export function createMadeKeys({ store, ttlMs, now, onError }: MadeKeysOptions): MadeKeys {
  // Apart, so that a flood of guesses does not push out the keys that are in use
  const keys = new Map<string, Remembered>();
  const unknown = new Map<string, Remembered>();
  const pending = new Map<string, Promise<FoundKey>>();
  /** Counts what was heard: an answer that was asked for before may be from before. */
  let changes = 0;

  function remember(digest: string, id: string | undefined, found: FoundKey): void {
    const remembered = id === undefined ? unknown : keys;
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size >= MAX_REMEMBERED) remembered.delete(oldest);
    remembered.set(digest, { id, found, until: now() + ttlMs });
  }

  async function ask(digest: string, secret: string): Promise<FoundKey> {
    const before = changes;
    try {
      const key = await store.findBySecret(secret);
      const found = toFound(key);
      if (before === changes) remember(digest, key?.id, found);
      return found;
    } catch (cause) {
      onError(cause);
      throw new GatewayError('quota_unavailable', 'The store of the API keys did not answer in time. Try again.', {
        cause,
        retryAfterMs: 1_000,
      });
    } finally {
      pending.delete(digest);
    }
  }

  return {
    peek(digest) {
      const remembered = keys.get(digest) ?? unknown.get(digest);
      if (remembered === undefined) return undefined;
      if (now() < remembered.until) return remembered.found;
      unknown.delete(digest);
      keys.delete(digest);
      return undefined;
    },
    lookUp(digest, secret) {
      const answer = pending.get(digest) ?? ask(digest, secret);
      pending.set(digest, answer);
      return answer;
    },
    forget(id) {
      changes++;
      // Whoever asks from now on must not get an answer from before
      pending.clear();
      for (const [digest, remembered] of keys) if (remembered.id === id) keys.delete(digest);
    },
    forgetAll() {
      changes++;
      pending.clear();
      keys.clear();
      unknown.clear();
    },
  };
}

function toFound(key: Awaited<ReturnType<KeyStore['findBySecret']>>): FoundKey {
  if (key === undefined) return 'unknown';
  return key.revokedAt === undefined ? { id: key.id, ...key.rights } : 'revoked';
}

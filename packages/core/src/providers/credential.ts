import { GatewayError } from '../errors.ts';

/** How long a credential that the provider refuses rests before it is tried again, in milliseconds. */
export const EJECTED_MS = 300_000;

/**
 * One reading of a credential. Each reading is an object of its own, also when its text is that of the one before, so that
 * a request can say which one it was sent with.
 */
export interface Secret {
  /** Belongs into a header to the provider and nowhere else; `undefined` for servers that ask for none. */
  readonly text: string | undefined;
}

/** What names us to a provider, wherever it comes from, and whether the provider still accepts it. */
export interface Credential {
  /** The latest reading; `undefined` before the first. */
  readonly secret: Secret | undefined;
  /** The latest reading, made now if there is none. @throws GatewayError `upstream_auth` when it cannot be read. */
  load(): Promise<Secret>;
  /**
   * A later reading than `used`, which the provider has refused. Everybody who asks meanwhile gets the same one, and so
   * does whoever comes late, without another.
   * @throws GatewayError `upstream_auth` when it cannot be read or is ejected.
   */
  refresh(used: Secret): Promise<Secret>;
  /** Says that the provider has refused a refreshed reading too: ejects the credential, unless there is a later one. */
  reject(used: Secret): void;
  /** For how long nothing should be sent with it, in milliseconds; 0 when it can be used. */
  ejectedForMs(): number;
}

/** Where a credential comes from. */
export interface CredentialOptions {
  /** Gets the secret from where it lives. What it throws becomes the `cause` of an error, so it must not quote the secret. */
  readonly read: () => Promise<string | undefined>;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** A credential that is read when it is first needed, and again when the provider refuses it. */
export function createCredential({ read, now }: CredentialOptions): Credential {
  let latest: Secret | undefined;
  let reading: Promise<Secret> | undefined;
  let ejectedUntil = -Infinity;

  const eject = (): void => void (ejectedUntil = now() + EJECTED_MS);
  const ejectedForMs = (): number => Math.max(0, ejectedUntil - now());

  async function readNow(): Promise<Secret> {
    try {
      const text = await read();
      // Nobody has refused a new secret yet.
      if (text !== latest?.text) ejectedUntil = -Infinity;
      latest = { text };
      return latest;
    } catch (cause) {
      eject();
      throw new GatewayError('upstream_auth', 'The credentials for the provider could not be read.', { cause });
    }
  }

  /** One reading for all who ask meanwhile; none while the credential is ejected. */
  function readOnce(): Promise<Secret> {
    if (reading !== undefined) return reading;
    if (ejectedForMs() > 0) {
      return Promise.reject(new GatewayError('upstream_auth', 'The provider refuses the credentials of this gateway.'));
    }
    reading = readNow().finally(() => (reading = undefined));
    return reading;
  }

  return {
    get secret() {
      return latest;
    },
    load: () => (latest === undefined ? readOnce() : Promise.resolve(latest)),
    refresh(used) {
      if (latest === undefined || latest === used || reading !== undefined) return readOnce();
      return Promise.resolve(latest);
    },
    reject(used) {
      if (used === latest) eject();
    },
    ejectedForMs,
  };
}

/** A key that does not change; `undefined` for servers that ask for none. Refreshed, it is the same: the call is made once more. */
export function staticCredential(key: string | undefined, now: () => number): Credential {
  return createCredential({ read: () => Promise.resolve(key), now });
}

import { generateApiKey, toKeyRights, type KeyConfig } from '@tokenhub/config';
import { createAuthFailures } from '../../apps/gateway/src/admission/auth-failures.ts';
import { createAuthenticator } from '../../apps/gateway/src/admission/authenticate.ts';
import { createMadeKeys } from '../../apps/gateway/src/admission/made-keys.ts';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 5;
const CALLS_PER_ROUND = 100_000;
const KEYS = 1_000;

/** CPU time of telling who a caller is whose key was seen before: one of the configuration, or one made at run time. At most 20 µs are allowed. */
export async function run(): Promise<readonly Row[]> {
  const now = () => performance.now();
  const secrets = Array.from({ length: KEYS }, () => generateApiKey());
  const toKey = (id: string): KeyConfig => ({ id, ...toKeyRights({}) });
  const fromStore = { id: 'made', fields: {}, rights: toKeyRights({}), createdAt: 0, version: 1 };
  const store = { findBySecret: async () => fromStore };
  const made = createMadeKeys({ store, ttlMs: 600_000, now, onError: () => {} });
  const authenticatorOf = (keys: readonly KeyConfig[]) =>
    createAuthenticator({ keys, peppers: ['a pepper of the benchmarks'], made, failures: createAuthFailures(now) });

  const ofConfiguration = authenticatorOf(secrets.map((key, index) => ({ ...toKey(`key-${index}`), key })));
  const ofStore = authenticatorOf([]);
  const headers = secrets.map((secret) => ({ authorization: `Bearer ${secret}` }));
  for (const header of headers) await ofStore.authenticate(header, '192.0.2.1');
  return [
    { name: 'authenticate: a key of the configuration', value: cpuUsPerCall(ofConfiguration), unit: 'µs' },
    { name: 'authenticate: a key made at run time', value: cpuUsPerCall(ofStore), unit: 'µs' },
  ];

  function cpuUsPerCall(authenticator: ReturnType<typeof authenticatorOf>): number {
    const rounds: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const before = process.cpuUsage();
      for (let call = 0; call < CALLS_PER_ROUND; call++) {
        const found = authenticator.authenticate(headers[call % KEYS] ?? {}, '192.0.2.1');
        if (found instanceof Promise) throw new Error('the key was not remembered');
      }
      const { user, system } = process.cpuUsage(before);
      // The first round only warms up.
      if (round > 0) rounds.push((user + system) / CALLS_PER_ROUND);
    }
    return rounds.toSorted((one, other) => one - other)[ROUNDS >> 1] ?? Number.NaN;
  }
}

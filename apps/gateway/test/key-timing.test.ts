import { generateApiKey, redisOptions, toKeyRights } from '@tokenhub/config';
import { isGatewayError } from '@tokenhub/core';
import { createKeyStore } from '@tokenhub/keys';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { createRandom } from '@tokenhub/simulator';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthFailures } from '../src/admission/auth-failures.ts';
import { createAuthenticator, type Authenticator } from '../src/admission/authenticate.ts';
import { createMadeKeys } from '../src/admission/made-keys.ts';

/*
 * Does the time of a refusal tell how near a guess has come? Asked of the authenticator itself, with a store in Redis: a socket
 * before it would only hide a difference. What is wrong shares all but its last four bytes with a key that there is; what is
 * absent shares nothing.
 */

const STATIC_KEY = 'a-key-of-the-configuration-0123456789';
/** Of each kind; as many again as long as they decide nothing. */
const SAMPLES = 10_000;
const LONGEST_SAMPLING_MS = 90_000;
const MOST_DIFFERENCE = 0.05;
/** Of the normal distribution: the interval holds the true difference in 999 of 1000 runs. */
const Z = 3.29;

const random = createRandom(20_261_120);
const randomBytes = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => random() * 256));

const otherByte = (byte = 0): Buffer => Buffer.of((byte + 1 + Math.floor(random() * 255)) % 256);

let server: LocalRedis;
let redis: Redis;
let authenticator: Authenticator;
let madeKeys: readonly Buffer[];
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(redisOptions(server.url));
  const store = createKeyStore({ redis, peppers: ['a pepper of the tests'], answerTimeoutMs: 10_000 });
  const made = await Promise.all(Array.from({ length: 100 }, () => store.create({ fields: {} })));
  madeKeys = made.map((key) => toBytes(key?.secret ?? ''));
  authenticator = createAuthenticator({
    keys: [{ id: 'static', key: STATIC_KEY, ...toKeyRights({}) }],
    peppers: ['a pepper of the tests'],
    made: createMadeKeys({ store, ttlMs: 30_000, now: () => performance.now(), onError: () => {} }),
    failures: createAuthFailures(() => performance.now()),
  });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('a wrong key and an absent one take the same time, within 5 %', async () => {
  await expectEqualTimes({
    wrong: () => {
      const key = madeKeys[Math.floor(random() * madeKeys.length)] ?? Buffer.alloc(32);
      return generateApiKey(() => Buffer.concat([key.subarray(0, 28), randomBytes(3), otherByte(key[31])]));
    },
    absent: () => generateApiKey(randomBytes),
  });
}, 180_000);

it('so do those that have the form of a static key', async () => {
  const letters = (count: number) => randomBytes(count).toString('base64url').slice(0, count);
  await expectEqualTimes({
    wrong: () => `${STATIC_KEY.slice(0, -4)}${letters(3)}!`,
    absent: () => letters(STATIC_KEY.length),
  });
}, 180_000);

interface Guesses {
  readonly wrong: () => string;
  readonly absent: () => string;
}

/**
 * Compares the means of the middle, as Yuen has it: what the machine does meanwhile makes long tails, and is in both. On a
 * busy machine it takes more samples until the whole interval lies on one side of the bound.
 */
async function expectEqualTimes({ wrong, absent }: Guesses): Promise<void> {
  const times = { wrong: [] as number[], absent: [] as number[] };
  for (let count = 0; count < 1000; count++) await timeOf(count % 2 === 0 ? wrong() : absent());
  const begin = performance.now();
  let difference: number;
  let uncertainty: number;
  do {
    const enough = Math.min(times.wrong.length, times.absent.length) + SAMPLES;
    while (times.wrong.length < enough || times.absent.length < enough) {
      // In no order, so that whatever changes with time changes both
      if (random() < 0.5) times.wrong.push(await timeOf(wrong()));
      else times.absent.push(await timeOf(absent()));
    }
    const [one, other] = [trim(times.wrong), trim(times.absent)];
    difference = Math.abs(one.mean / other.mean - 1);
    uncertainty = (Z * Math.hypot(one.error, other.error)) / other.mean;
  } while (Math.abs(difference - MOST_DIFFERENCE) <= uncertainty && performance.now() - begin < LONGEST_SAMPLING_MS);
  const found = `${difference} ± ${uncertainty} from ${times.wrong.length} samples`;
  expect(difference, found).toBeLessThan(MOST_DIFFERENCE);
}

/** Milliseconds until a guess is refused. */
async function timeOf(secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${secret}` };
  const begin = performance.now();
  try {
    await authenticator.authenticate(headers, '192.0.2.1');
  } catch (error) {
    if (isGatewayError(error) && /invalid_api_key|too_many_auth_failures/.test(error.code))
      return performance.now() - begin;
    throw error;
  }
  throw new Error('a guess was right');
}

/** The mean without the fifth at either end, and its standard error, from the variance with these ends drawn in. */
function trim(values: readonly number[]): { readonly mean: number; readonly error: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 5);
  const middle = sorted.slice(cut, -cut);
  const [least = 0, most = 0] = [middle[0], middle.at(-1)];
  const meanOf = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const drawnIn = sorted.map((value) => Math.min(most, Math.max(least, value)));
  const centre = meanOf(drawnIn);
  const squares = drawnIn.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return { mean: meanOf(middle), error: Math.sqrt(squares / (middle.length * (middle.length - 1))) };
}

/** The 32 random bytes of a generated key. */
function toBytes(secret: string): Buffer {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let value = 0n;
  for (const digit of secret.slice('tokenhub_'.length, -6)) value = value * 62n + BigInt(alphabet.indexOf(digit));
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

import { generateApiKey } from '@tokenhub/config';
import { Client } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_TOKEN, KEY, prepareProcesses, type Processes } from './start-processes.ts';

/** Pairs of requests for one comparison. */
const PAIRS = 1_500;
/** The slowest of each kind show what else the machine had to do. */
const KEPT = 0.8;
/** Of t: by chance it is beyond that once in two million comparisons. */
const SIGNIFICANT = 5;
/** Of 127.0.0.0/8, all of which is ours on Linux; each may send fifty keys a second that are not valid. */
const ADDRESSES = 200;

let processes: Processes;
let madeKey: string;
let clients: Client[];
beforeAll(async () => {
  processes = await prepareProcesses();
  const accounting = await processes.startAccounting();
  const response = await fetch(`${accounting.url}/admin/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id: 'made' }),
  });
  ({ key: madeKey } = (await response.json()) as { key: string });
  clients = Array.from({ length: ADDRESSES }, (_, index) => {
    return new Client(processes.gateway.url, { localAddress: `127.0.1.${index + 1}` });
  });
  for (let count = 0; count < 500; count++) await Promise.all([timeRefusal(absentKey()), timeRefusal(mistypedKey())]);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await processes.stop();
});

const absentKey = () => generateApiKey();
/** Its checksum says so. */
const mistypedKey = () => generateApiKey().replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
/** A good key with other last bits, and the checksum that belongs to them. */
const nearlyMadeKey = (index: number) => generateApiKey(() => toBytes(secretOf(madeKey) ^ BigInt(index + 1)));
const nearlyStaticKey = (index: number) => KEY.slice(0, -4) + String(index).padStart(4, 'x');
const absentStaticKey = (index: number) => `${'z'.repeat(KEY.length - 4)}${String(index).padStart(4, 'x')}`;

it('a key takes as long to refuse when it is nearly a good one as when it is like none', async () => {
  expect(Math.abs(await compare(nearlyMadeKey, absentKey))).toBeLessThan(SIGNIFICANT);
  expect(Math.abs(await compare(nearlyStaticKey, absentStaticKey))).toBeLessThan(SIGNIFICANT);
  // A key that is not looked up is refused sooner, which tells nobody anything, but that this comparison can tell.
  expect(await compare(absentKey, mistypedKey)).toBeGreaterThan(SIGNIFICANT);
}, 60_000);

type MakeKey = (index: number) => string;

/** By how much keys of the first kind take longer to refuse: in turns, each key once, and by chance who is first in its pair. */
async function compare(one: MakeKey, other: MakeKey): Promise<number> {
  const [ofOne, ofOther]: [number[], number[]] = [[], []];
  for (let index = 0; index < PAIRS; index++) {
    const turns = [
      async () => void ofOne.push(await timeRefusal(one(index))),
      async () => void ofOther.push(await timeRefusal(other(index))),
    ];
    for (const turn of Math.random() < 0.5 ? turns : turns.toReversed()) await turn();
  }
  return toT(withoutSlowest(ofOne), withoutSlowest(ofOther));
}

function withoutSlowest(times: readonly number[]): number[] {
  return times.toSorted((one, other) => one - other).slice(0, times.length * KEPT);
}

/** Welch's t: how many standard errors the means are apart. */
function toT(one: readonly number[], other: readonly number[]): number {
  return (meanOf(one) - meanOf(other)) / Math.sqrt(squaredErrorOf(one) + squaredErrorOf(other));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the mean. */
function squaredErrorOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) / values.length;
}

let requests = 0;

/** In milliseconds. */
async function timeRefusal(key: string): Promise<number> {
  const client = clients[requests++ % ADDRESSES];
  const startedAt = performance.now();
  const response = await client?.request({
    path: '/v1/models',
    method: 'GET',
    headers: { authorization: `Bearer ${key}` },
  });
  await response?.body.dump();
  expect(response?.statusCode).toBe(401);
  return performance.now() - startedAt;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The 256 random bits of a key: what stands between its prefix and its checksum, in base62. */
function secretOf(key: string): bigint {
  const digits = key.slice('tokenhub_'.length, -6).split('');
  return digits.reduce((value, digit) => value * 62n + BigInt(ALPHABET.indexOf(digit)), 0n);
}

function toBytes(secret: bigint): Uint8Array {
  return Buffer.from(secret.toString(16).padStart(64, '0'), 'hex');
}

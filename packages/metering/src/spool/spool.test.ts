import { mkdtemp, readdir, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleSettlement } from '../../test/samples.ts';
import type { Settlement } from '../quota/quota.ts';
import { createSpool, type Spool } from './spool.ts';

let directory: string;
let now: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-test-'));
  now = Date.now();
});
const opened: Spool[] = [];
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  await rm(directory, { recursive: true, force: true });
});

const open = (): Spool => {
  const spool = createSpool({ directory, abandonedMs: 5000, now: () => now });
  opened.push(spool);
  return spool;
};
const files = () => readdir(directory);
const onlyFile = async () => join(directory, (await files())[0] ?? 'none');
const recoverAll = async (spool: Spool) => {
  const settled: Settlement[] = [];
  const recovered = await spool.recover(async (settlement) => void settled.push(settlement));
  return { ...recovered, settled };
};

test('what a dead process has left is settled by another one, as it was, and its file is removed', async () => {
  const dead = open();
  const settlements = ['req_1', 'req_2', 'req_3'].map((requestId) => sampleSettlement(requestId));
  await Promise.all(settlements.map((settlement) => dead.add(settlement)));
  expect(dead.size).toBe(3);
  const other = open();
  expect(await recoverAll(other)).toMatchObject({ settlements: 0 });
  now += 6000;
  expect(await recoverAll(other)).toEqual({ settlements: 3, damaged: [], settled: settlements });
  expect(await files()).toEqual([]);
});

test('a process that lives keeps its file to itself', async () => {
  const living = open();
  await living.add(sampleSettlement('req_1'));
  now += 6000;
  await living.touch();
  expect(await recoverAll(open())).toMatchObject({ settlements: 0 });
});

test('there is a file only while something in it is not confirmed', async () => {
  const spool = open();
  expect(await files()).toEqual([]);
  await spool.add(sampleSettlement('req_1'));
  await spool.add(sampleSettlement('req_2'));
  await spool.confirm('req_1');
  await spool.confirm('req_of_another');
  expect(await files()).toHaveLength(1);
  await spool.confirm('req_2');
  expect(await files()).toEqual([]);
  await spool.add(sampleSettlement('req_3'));
  expect(await files()).toHaveLength(1);
});

test('of a request that was kept twice the later one is settled', async () => {
  const dead = open();
  await dead.add(sampleSettlement('req_1', { costNanoUsd: 5n }));
  await dead.add(sampleSettlement('req_2'));
  await dead.add(sampleSettlement('req_1', { costNanoUsd: 600n }));
  expect(dead.size).toBe(2);
  now += 6000;
  const { settled } = await recoverAll(open());
  expect(settled.map(({ requestId, costNanoUsd }) => [requestId, costNanoUsd])).toEqual([
    ['req_1', 600n],
    ['req_2', 600n],
  ]);
});

test('a process that was frozen and taken for dead writes its file anew', async () => {
  const frozen = open();
  await frozen.add(sampleSettlement('req_1'));
  now += 6000;
  await recoverAll(open());
  expect(await files()).toEqual([]);
  await frozen.touch();
  await frozen.add(sampleSettlement('req_2'));
  now += 6000;
  const { settled } = await recoverAll(open());
  expect(settled.map(({ requestId }) => requestId)).toEqual(['req_1', 'req_2']);
});

test.each<[string, (path: string, text: string) => Promise<void>]>([
  ['a torn tail', (path, text) => writeFile(path, text.slice(0, -30))],
  ['a line of something else', (path) => appendFile(path, 'not one of ours\n')],
  ['a changed figure', (path, text) => writeFile(path, text.replace(/"tokens":57(?=.*req_3)/s, '"tokens":58'))],
])('with %s the rest is settled, and the file is kept for a person (F14)', async (name, damage) => {
  const dead = open();
  for (const requestId of ['req_1', 'req_2', 'req_3']) await dead.add(sampleSettlement(requestId));
  await dead.close();
  const path = await onlyFile();
  await damage(path, await readFile(path, 'utf8'));
  now += 6000;
  const { settlements, damaged } = await recoverAll(open());
  expect(settlements).toBe(name === 'a line of something else' ? 3 : 2);
  expect(damaged).toEqual([`${path}.damaged`]);
  expect(await recoverAll(open())).toMatchObject({ settlements: 0, damaged: [] });
});

test('a store that is still away leaves the file for the next try', async () => {
  const dead = open();
  await dead.add(sampleSettlement('req_1'));
  now += 6000;
  const failing = open().recover(() => Promise.reject(new Error('away')));
  await expect(failing).rejects.toThrow('away');
  expect(await recoverAll(open())).toMatchObject({ settlements: 1 });
});

test('a disk that takes nothing is told until it does again, and what it did not take is written then (F13)', async () => {
  await rm(directory, { recursive: true });
  await writeFile(directory, 'no directory');
  const spool = open();
  await expect(spool.add(sampleSettlement('req_1'))).rejects.toThrow();
  await expect(spool.touch()).rejects.toThrow();
  expect(spool.isFailing).toBe(true);
  await rm(directory);
  await spool.touch();
  expect(spool.isFailing).toBe(false);
  expect(spool.size).toBe(1);
  now += 6000;
  expect(await recoverAll(open())).toMatchObject({ settlements: 1 });
});

test('a disk that has healed when everything is confirmed is trusted again', async () => {
  await rm(directory, { recursive: true });
  await writeFile(directory, 'no directory');
  const spool = open();
  await expect(spool.add(sampleSettlement('req_1'))).rejects.toThrow();
  await spool.confirm('req_1');
  await rm(directory);
  await spool.touch();
  expect(spool.isFailing).toBe(false);
  expect(await files()).toEqual([]);
});

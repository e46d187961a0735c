import { expect, it } from 'vitest';
import { createGate } from './gate.ts';

const CAPACITY = { requests: 2, admissions: 2, connections: 100 };

it('lets in as many requests as there is room for', () => {
  let inFlight = 2;
  const gate = createGate({ capacity: CAPACITY, inFlight: () => inFlight, isClosed: () => false });
  expect(() => gate.enter()).not.toThrow();
  inFlight++;
  expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(gate.refused).toBe(1);
});

it('lets as many wait for the quota store as it may, and others again when those are through', async () => {
  const gate = createGate({ capacity: CAPACITY, inFlight: () => 1, isClosed: () => false });
  const waiting = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const admitted = waiting.map(({ promise }) => gate.admit(() => promise));
  await expect(gate.admit(() => Promise.resolve('late'))).rejects.toMatchObject({ code: 'overloaded' });
  waiting[0]?.resolve('first');
  waiting[1]?.reject(new Error('the store is away'));
  await expect(admitted[0]).resolves.toBe('first');
  await expect(admitted[1]).rejects.toThrow('the store is away');
  expect(await gate.admit(() => Promise.resolve('now'))).toBe('now');
});

it('lets nobody in when the process is ending', () => {
  const gate = createGate({ capacity: CAPACITY, inFlight: () => 1, isClosed: () => true });
  expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'shutting_down' }));
});

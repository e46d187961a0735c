import { expect, it } from 'vitest';
import { createGate } from './gate.ts';

const CAPACITY = { requests: 2, bodyBytes: 1_000, admissions: 2, connections: 100 };

it('lets in as many requests as there is room for', () => {
  const inFlight = { size: 2, bodyBytes: 0 };
  const gate = createGate({ capacity: CAPACITY, inFlight, isClosed: () => false });
  expect(() => gate.enter()).not.toThrow();
  inFlight.size++;
  expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'overloaded' }));
  expect(gate.refused).toBe(1);
});

it('lets in as many bytes of bodies as there is room for', () => {
  const gate = createGate({ capacity: CAPACITY, inFlight: { size: 1, bodyBytes: 600 }, isClosed: () => false });
  expect(() => gate.enter(400)).not.toThrow();
  expect(() => gate.enter(401)).toThrow(expect.objectContaining({ code: 'overloaded' }));
});

it('lets as many wait for the quota store as it may, and others again when those are through', async () => {
  const gate = createGate({ capacity: CAPACITY, inFlight: { size: 1, bodyBytes: 0 }, isClosed: () => false });
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
  const gate = createGate({ capacity: CAPACITY, inFlight: { size: 1, bodyBytes: 0 }, isClosed: () => true });
  expect(() => gate.enter()).toThrow(expect.objectContaining({ code: 'shutting_down' }));
});

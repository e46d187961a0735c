import { expect, it } from 'vitest';
import { readResources, toCapacity } from './capacity.ts';

const MEBIBYTE = 1024 * 1024;

it.each([
  [
    'plenty of everything',
    { heapBytes: 4_096 * MEBIBYTE, openFiles: 1_048_576 },
    { requests: 10_000, admissions: 1_000 },
  ],
  [
    'a small heap',
    { heapBytes: 256 * MEBIBYTE, openFiles: 1_048_576 },
    { requests: 2_048, bodyBytes: 32 * MEBIBYTE, admissions: 1_000 },
  ],
  ['a heap that is too small', { heapBytes: 64 * MEBIBYTE, openFiles: 1_048_576 }, { requests: 1, admissions: 1 }],
  ['few files', { heapBytes: 4_096 * MEBIBYTE, openFiles: 256 }, { requests: 64, admissions: 64, connections: 128 }],
  [
    'no word of files',
    { heapBytes: 4_096 * MEBIBYTE, openFiles: undefined },
    { requests: 10_000, connections: Infinity },
  ],
])('with %s a process takes on what it can', (_title, resources, capacity) => {
  expect(toCapacity(resources)).toMatchObject(capacity);
});

it("takes on no more than its operator allows, and that is no way round what the machine can't", () => {
  const resources = { heapBytes: 256 * MEBIBYTE, openFiles: 1_048_576 };
  expect(toCapacity(resources, 50).requests).toBe(50);
  expect(toCapacity(resources, 50_000).requests).toBe(2_048);
});

it('knows what this process is granted', () => {
  const { heapBytes, openFiles } = readResources();
  expect(heapBytes).toBeGreaterThan(64 * MEBIBYTE);
  if (process.platform === 'linux') expect(openFiles).toBeGreaterThan(100);
});

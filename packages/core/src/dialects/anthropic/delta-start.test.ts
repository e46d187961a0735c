import { expect, test } from 'vitest';
import { DeltaStart } from './delta-start.ts';

const DELTA = 'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"';

test.each([
  ['an array', new TextEncoder().encode(DELTA)],
  // Small Node buffers stand somewhere inside a larger one.
  ['a Node buffer', Buffer.from(DELTA)],
  ['a part of one', Buffer.from(`: x\n\n${DELTA}`).subarray(5)],
])('the start of a delta in %s is found again, also after those bytes have changed', (_, bytes) => {
  const start = new DeltaStart(bytes);
  bytes.fill(0);
  const stream = Buffer.from(`: comment\n\n${DELTA}Hello"}}\n\n`);
  expect(start.matches(stream, 11, stream.length)).toBe(true);
  expect(start.matches(stream, 10, stream.length)).toBe(false);
  expect(start.matches(stream, 11, 11 + DELTA.length - 1)).toBe(false);
});

import { expect } from 'vitest';
import { parseJsonEvents } from './parse-events.ts';

/** Blocks come one after the other, in one message. */
export function checkAnthropicEvents(stream: string): void {
  const events = parseJsonEvents(stream);
  const types = events.map(({ type }) => type);
  expect(types[0]).toBe('message_start');
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  expect(types.filter((type) => type === 'message_start' || type === 'message_delta' || type === 'message_stop')).toHaveLength(3);
  let next = 0;
  let open: number | undefined;
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([undefined, next]);
      open = next++;
    } else if (type === 'content_block_delta' || type === 'content_block_stop') {
      expect(open).toBeDefined();
      expect(index).toBe(open);
      if (type === 'content_block_stop') open = undefined;
    }
  }
  expect(open).toBeUndefined();
}

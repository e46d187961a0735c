import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHeartbeat } from './heartbeat.ts';

/** As much of a response as a heartbeat looks at. */
function fakeStream(): {
  response: ServerResponse;
  written: string[];
  socket: { bytesWritten: number };
  waiting: number;
} {
  const stream = { written: [] as string[], socket: { bytesWritten: 100 }, waiting: 0 };
  const response = {
    socket: stream.socket,
    get writableLength() {
      return stream.waiting;
    },
    write(text: string) {
      stream.written.push(text);
      stream.socket.bytesWritten += text.length;
    },
  };
  return Object.assign(stream, { response: response as unknown as ServerResponse });
}

describe('the heartbeat', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('comments a stream that has been silent for 15 s, and again 15 s later', () => {
    const heartbeat = createHeartbeat(() => Date.now());
    const stream = fakeStream();
    heartbeat.add(stream.response);
    vi.advanceTimersByTime(13_000);
    expect(stream.written).toEqual([]);
    vi.advanceTimersByTime(3_000);
    expect(stream.written).toEqual([': keep-alive\n\n']);
    vi.advanceTimersByTime(17_000);
    expect(stream.written).toHaveLength(2);
    heartbeat.stop();
  });

  it('leaves a stream alone that moves, one whose reader does not read, and one that has ended', () => {
    const heartbeat = createHeartbeat(() => Date.now());
    const [moving, stalled, ended] = [fakeStream(), fakeStream(), fakeStream()];
    for (const { response } of [moving, stalled, ended]) heartbeat.add(response);
    stalled.waiting = 5_000;
    heartbeat.remove(ended.response);
    expect(heartbeat.size).toBe(2);
    for (let second = 0; second < 40; second += 10) {
      moving.socket.bytesWritten += 50;
      vi.advanceTimersByTime(10_000);
    }
    expect([moving.written, stalled.written, ended.written]).toEqual([[], [], []]);
    heartbeat.stop();
  });
});

import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExchanges } from './exchanges.ts';

/** As much of a response as an exchange looks at. */
class FakeResponse extends EventEmitter {
  readonly req = { headers: {} };
  readonly socket = { bytesWritten: 100 };
  writableLength = 0;
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function open(exchanges: ReturnType<typeof createExchanges>) {
  const response = new FakeResponse();
  const exchange = exchanges.open(response as unknown as ServerResponse);
  const beats: number[] = [];
  exchange.stream(() => {
    beats.push(Date.now());
    response.socket.bytesWritten += 14;
  });
  return { response, exchange, beats };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a stream', () => {
  it('that is silent for 15 s gets a sign of life, and again 15 s later', () => {
    const exchanges = createExchanges(() => Date.now());
    const { beats } = open(exchanges);
    vi.advanceTimersByTime(13_000);
    expect(beats).toHaveLength(0);
    vi.advanceTimersByTime(3_000);
    expect(beats).toHaveLength(1);
    vi.advanceTimersByTime(16_000);
    expect(beats).toHaveLength(2);
    exchanges.stop();
  });

  it('that moves gets none, nor does one that has ended', () => {
    const exchanges = createExchanges(() => Date.now());
    const [moving, ended] = [open(exchanges), open(exchanges)];
    ended.exchange.complete();
    for (let second = 0; second < 40; second += 10) {
      moving.response.socket.bytesWritten += 50;
      vi.advanceTimersByTime(10_000);
    }
    expect([moving.beats, ended.beats]).toEqual([[], []]);
    expect(exchanges.streams).toBe(1);
    exchanges.stop();
  });
});

describe('a caller', () => {
  it('that reads nothing for 60 s ends its exchange', () => {
    const exchanges = createExchanges(() => Date.now());
    const { response, exchange, beats } = open(exchanges);
    response.writableLength = 5_000;
    vi.advanceTimersByTime(60_000);
    expect(exchange.signal.aborted).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect(exchange.signal.reason).toMatchObject({ code: 'client_stalled' });
    expect(beats).toEqual([]);
    exchanges.stop();
  });

  it('that reads a little now and then is waited for', () => {
    const exchanges = createExchanges(() => Date.now());
    const { response, exchange } = open(exchanges);
    response.writableLength = 5_000;
    for (let minute = 0; minute < 5; minute++) {
      vi.advanceTimersByTime(59_000);
      response.writableLength -= 100;
      vi.advanceTimersByTime(1_000);
    }
    expect(exchange.signal.aborted).toBe(false);
    exchanges.stop();
  });

  it('that does not read the end of an answer is cut off', () => {
    const exchanges = createExchanges(() => Date.now());
    const { response, exchange } = open(exchanges);
    response.writableLength = 5_000;
    exchange.close();
    vi.advanceTimersByTime(62_000);
    expect(response.destroyed).toBe(true);
    expect(exchanges.size).toBe(0);
    exchanges.stop();
  });

  it('that leaves cancels, unless its answer was complete', () => {
    const exchanges = createExchanges(() => Date.now());
    const [leaving, done] = [open(exchanges), open(exchanges)];
    leaving.response.emit('close');
    expect(leaving.exchange.signal.reason).toMatchObject({ code: 'client_cancelled' });
    done.exchange.complete();
    done.response.emit('close');
    expect(done.exchange.signal.aborted).toBe(false);
    exchanges.stop();
  });
});

describe('draining', () => {
  it('waits until every exchange is handled and its last byte is taken', async () => {
    const exchanges = createExchanges(() => Date.now());
    const [first, second] = [open(exchanges), open(exchanges)];
    let drained = false;
    void exchanges.drain(30_000).then(() => (drained = true));
    first.exchange.close();
    first.response.emit('close');
    second.response.emit('close');
    await vi.advanceTimersByTimeAsync(10);
    expect(drained).toBe(false);
    second.exchange.close();
    await vi.advanceTimersByTimeAsync(10);
    expect(drained).toBe(true);
    exchanges.stop();
  });

  it('of what there is now does not wait for what begins meanwhile', async () => {
    const exchanges = createExchanges(() => Date.now());
    const before = open(exchanges);
    let ended = false;
    void exchanges.ended().then(() => (ended = true));
    const after = open(exchanges);
    after.exchange.close();
    after.response.emit('close');
    await vi.advanceTimersByTimeAsync(10);
    expect(ended).toBe(false);
    open(exchanges);
    before.exchange.close();
    before.response.emit('close');
    await vi.advanceTimersByTimeAsync(10);
    expect(ended).toBe(true);
    exchanges.stop();
  });

  it('ends what is left at its deadline, and a second later cuts callers that do not read', async () => {
    const exchanges = createExchanges(() => Date.now());
    const { response, exchange } = open(exchanges);
    exchange.signal.addEventListener('abort', () => exchange.close());
    const finished = open(exchanges);
    finished.exchange.close();
    const drained = exchanges.drain(30_000);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(exchange.signal.reason).toMatchObject({ code: 'gateway_shutdown' });
    // What is whole has a second more to be taken as well.
    expect([response.destroyed, finished.response.destroyed]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([response.destroyed, finished.response.destroyed]).toEqual([true, true]);
    await drained;
    exchanges.stop();
  });
});

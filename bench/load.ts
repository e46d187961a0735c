import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type Answer } from './connection.ts';

/** What is asked of a target, and whether the answer is all that it should be. */
export interface Task {
  readonly request: Uint8Array;
  /** What is wrong with the answer; undefined if nothing. */
  readonly check: (answer: Answer) => string | undefined;
}

/** How long the last answers are waited for. */
const PATIENCE_MS = 20_000;

export interface LoadResult {
  readonly answered: number;
  /** What was wrong with the answers that were not whole. */
  readonly failures: readonly string[];
  readonly firstBytesMs: readonly number[];
}

/** Sends requests at a fixed rate over a fixed set of connections that live as long as the load. */
export class RateLoad {
  readonly #port: number;
  readonly #connections: Connection[];

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#connections = Array.from({ length: connections }, () => new Connection(port));
  }

  /** Offers `perSecond` requests for so long and waits for all answers. When all connections are busy requests queue, and their wait counts. */
  async run(task: Task, { perSecond, durationMs }: { perSecond: number; durationMs: number }): Promise<LoadResult> {
    const total = Math.round((perSecond * durationMs) / 1_000);
    const startedAt = performance.now();
    const failures: string[] = [];
    const firstBytesMs: number[] = [];
    const idle = this.#connections.map((_, index) => index);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    let sent = 0;
    let answered = 0;

    // A request that had to wait for a connection counts from when it was due; one that only waited for our own timer does not.
    const sendDue = (waited: boolean): void => {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) * perSecond) / 1_000) + 1);
      while (sent < due) {
        const slot = idle.pop();
        if (slot === undefined) return;
        const onAnswer = (answer: Answer): void => {
          const problem = task.check(answer);
          if (problem === undefined) firstBytesMs.push(answer.firstByteMs);
          else failures.push(problem);
          idle.push(slot);
          if (++answered === total) resolve();
          else sendDue(true);
        };
        const dueAt = waited ? startedAt + (sent * 1_000) / perSecond : performance.now();
        sent++;
        this.#connection(slot).send({ request: task.request, dueAt, onAnswer });
      }
    };
    const timer = setInterval(sendDue, 1, false);
    const giveUp = setTimeout(() => {
      if (sent < total) failures.push(`${total - sent} requests found no idle connection in time`);
      sent = total;
      // Closing ends what is under way, each as a bad answer; that takes a turn of the event loop.
      this.close();
      setImmediate(() => setImmediate(resolve));
    }, durationMs + PATIENCE_MS);
    await done;
    clearInterval(timer);
    clearTimeout(giveUp);
    return { answered, failures, firstBytesMs };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #connection(slot: number): Connection {
    const connection = this.#connections[slot];
    if (connection?.open === true) return connection;
    const fresh = new Connection(this.#port);
    this.#connections[slot] = fresh;
    return fresh;
  }
}

export interface StreamsOptions {
  readonly port: number;
  readonly streams: number;
  /** The streams begin evenly spread over this time. */
  readonly rampMs: number;
  readonly settleMs: number;
  readonly windowMs: number;
}

export interface StreamsResult extends LoadResult {
  /** Events that arrived within the window. */
  readonly events: number;
}

/** Opens many streams, calls `onWindow` when all have run for a while and again when the window is over, then waits for their ends. */
export async function runStreams(task: Task, options: StreamsOptions, onWindow: () => void): Promise<StreamsResult> {
  const { port, streams, rampMs, settleMs, windowMs } = options;
  const failures: string[] = [];
  const firstBytesMs: number[] = [];
  const connections: Connection[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let answered = 0;
  let events = 0;
  const onEvents = (count: number): void => void (events += count);
  const onAnswer = (answer: Answer): void => {
    const problem = task.check(answer);
    if (problem === undefined) firstBytesMs.push(answer.firstByteMs);
    else failures.push(problem);
    if (++answered === streams) resolve();
  };

  const startedAt = performance.now();
  while (connections.length < streams) {
    const due = Math.min(streams, Math.ceil(((performance.now() - startedAt) * streams) / rampMs));
    while (connections.length < due) {
      const connection = new Connection(port);
      const dueAt = startedAt + (connections.length * rampMs) / streams;
      connection.send({ request: task.request, dueAt, onAnswer, onEvents });
      connections.push(connection);
    }
    await sleep(1);
  }
  await sleep(settleMs);
  onWindow();
  const before = events;
  await sleep(windowMs);
  onWindow();
  const inWindow = events - before;
  await Promise.race([done, sleep(PATIENCE_MS, undefined, { ref: false })]);
  // A closed connection counts as a bad answer, so every stream ends.
  for (const connection of connections) connection.close();
  await done;
  return { answered, failures, firstBytesMs, events: inWindow };
}

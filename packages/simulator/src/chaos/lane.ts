import type { Socket } from 'node:net';
import type { LaneRules } from './chaos-rules.ts';

export interface LaneOptions {
  readonly source: Socket;
  readonly sink: Socket;
  /** So many bytes have arrived. */
  readonly onBytes: (count: number) => void;
  /** The rules want both sockets reset now. */
  readonly onCut: () => void;
  /** The source has ended and all that is to be passed on of it has been. May be called again. */
  readonly onOver: () => void;
}

interface Chunk {
  readonly bytes: Buffer;
  readonly arrivedAtMs: number;
}

interface End {
  readonly how: 'fin' | 'reset';
  readonly arrivedAtMs: number;
}

const SLICE_MS = 50;
const READ_BYTES = 64 * 1024;
const MOST_UNDER_WAY_BYTES = 1024 * 1024;
/** What a timer can take. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/**
 * One direction of a connection: a queue with due times, and one timer for the next of them. Rules are applied as bytes leave
 * the queue, so new ones hold for what is under way as well.
 */
export class Lane {
  readonly #options: LaneOptions;
  #rules: LaneRules = { withholdsEnd: false };
  #queue: Chunk[] = [];
  #queuedBytes = 0;
  /** When the last slice had left a link of `bytesPerSecond`. */
  #linkFreeAtMs = 0;
  /** Since the rules were set. */
  #passedBytes = 0;
  /** Passed, and to be passed once more. */
  #kept: Buffer[] = [];
  #end: End | undefined;
  #passedEnd: End | undefined;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { source, sink, onBytes } = options;
    source.on('data', (bytes: Buffer) => {
      onBytes(bytes.length);
      this.#queue.push({ bytes, arrivedAtMs: performance.now() });
      this.#queuedBytes += bytes.length;
      this.#run();
    });
    source.on('end', () => this.#endWith('fin'));
    source.on('close', (hadError: boolean) => {
      if (hadError || this.#end === undefined) this.#endWith('reset');
    });
    sink.on('drain', this.#run);
    sink.on('close', this.#run);
  }

  set rules(rules: LaneRules) {
    this.#rules = rules;
    this.#passedBytes = 0;
    this.#kept = [];
    this.#run();
  }

  get isOver(): boolean {
    if (this.#end === undefined || this.#queue.length > 0) return false;
    return this.#rules.withholdsEnd || this.#passedEnd === this.#end;
  }

  /** Passes nothing any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #endWith(how: End['how']): void {
    this.#end = { how, arrivedAtMs: performance.now() };
    this.#run();
  }

  readonly #run = (): void => {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const waitMs = this.#passWhatIsDue();
    if (waitMs < Infinity) this.#timer = setTimeout(this.#run, Math.min(Math.ceil(waitMs), LONGEST_WAIT_MS));
    const { source, onOver } = this.#options;
    if (this.#isClosed || this.#queuedBytes > mostQueuedBytes(this.#rules)) source.pause();
    else source.resume();
    if (this.isOver) onOver();
  };

  /** Returns in how many milliseconds more is due; Infinity when something else has to happen first. */
  #passWhatIsDue(): number {
    const { sink } = this.#options;
    const { latencyMs = 0, bytesPerSecond = Infinity, drop = false, resetAfterBytes = Infinity } = this.#rules;
    const sliceBytes = Math.max(1, Math.floor((bytesPerSecond * SLICE_MS) / 1_000));
    const nowMs = performance.now();
    for (;;) {
      if (this.#passedBytes >= resetAfterBytes) return this.#cut();
      if (drop) this.#discard();
      const [next] = this.#queue;
      if (next === undefined) return this.#passEnd();
      if (bytesPerSecond === 0) return Infinity;
      const length = Math.min(next.bytes.length, sliceBytes, resetAfterBytes - this.#passedBytes);
      const leavesAtMs = Math.max(next.arrivedAtMs + latencyMs, this.#linkFreeAtMs) + (length * 1_000) / bytesPerSecond;
      if (sink.destroyed || (sink.writableNeedDrain && this.#end?.how === 'reset')) {
        // Nobody reads any more, or nobody did when the reset overtook the bytes.
        this.#discard();
      } else if (sink.writableNeedDrain) {
        return Infinity;
      } else if (leavesAtMs > nowMs) {
        return leavesAtMs - nowMs;
      } else {
        this.#linkFreeAtMs = leavesAtMs;
        this.#pass(this.#take(next, length));
      }
    }
  }

  #discard(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #take({ bytes, arrivedAtMs }: Chunk, length: number): Buffer {
    if (length === bytes.length) this.#queue.shift();
    else this.#queue[0] = { bytes: bytes.subarray(length), arrivedAtMs };
    this.#queuedBytes -= length;
    return bytes.subarray(0, length);
  }

  #pass(taken: Buffer): void {
    const { corruptBytes = 0, duplicateBytes = 0 } = this.#rules;
    const before = this.#passedBytes;
    this.#passedBytes += taken.length;
    const bytes = before < corruptBytes ? corrupt(taken, corruptBytes - before) : taken;
    const { sink } = this.#options;
    if (before >= duplicateBytes) {
      sink.write(bytes);
      return;
    }
    const last = bytes.subarray(0, duplicateBytes - before);
    this.#kept.push(last);
    sink.write(last);
    if (this.#passedBytes < duplicateBytes) return;
    sink.write(Buffer.concat(this.#kept));
    sink.write(bytes.subarray(last.length));
    this.#kept = [];
  }

  #passEnd(): number {
    const end = this.#end;
    if (end === undefined || end === this.#passedEnd || this.#rules.withholdsEnd) return Infinity;
    const waitMs = end.arrivedAtMs + (this.#rules.latencyMs ?? 0) - performance.now();
    if (waitMs > 0) return waitMs;
    this.#passedEnd = end;
    const { sink } = this.#options;
    if (end.how === 'fin') sink.end();
    else reset(sink);
    return Infinity;
  }

  #cut(): number {
    const { sink, onCut } = this.#options;
    this.close();
    // A reset throws away what the socket has not taken yet, so the bytes that are to arrive have to be gone before.
    if (this.#passedBytes > 0 && sink.writable) sink.write('', onCut);
    else onCut();
    return Infinity;
  }
}

/** Ends the connection with a TCP reset; a unix socket has none and is closed. */
export function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** What is waiting for a reader or for its turn is one read at most; what is on a slow way may be more. */
function mostQueuedBytes({ latencyMs = 0, bytesPerSecond = Infinity }: LaneRules): number {
  if (latencyMs === 0) return 0;
  return Math.min(MOST_UNDER_WAY_BYTES, READ_BYTES + (bytesPerSecond * latencyMs) / 1_000);
}

function corrupt(bytes: Buffer, length: number): Buffer {
  return Buffer.from(bytes.map((byte, at) => (at < length ? byte ^ 0xff : byte)));
}

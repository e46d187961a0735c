import type { Dialect, StreamOptions } from '../dialects/dialect.ts';
import { createEventSplitter } from '../sse/split-events.ts';
import type { StreamConverter } from './stream-converter.ts';

const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder();

/** What of a dialect relaying needs. */
type RelayedDialect = Pick<Dialect, 'createMeter' | 'terminator' | 'writeStreamError' | 'streamLimits'>;

/**
 * The converter for two sides of one dialect: cuts at event borders, lets the meter look, and gives the provider's own
 * bytes, uncopied where no event had to be dropped or rewritten. The dialect's terminator ends a good stream whose provider
 * sent none.
 */
export function createRelay(dialect: RelayedDialect, options: StreamOptions): StreamConverter {
  const meter = dialect.createMeter(options);
  const splitter = createEventSplitter(dialect.streamLimits);
  let over = false;
  let end = dialect.terminator;
  return {
    facts: meter,
    push(chunk) {
      if (over) return NOTHING;
      const bytes = splitter.open(chunk);
      const pieces: Uint8Array[] = [];
      // Bytes from `from` on are events that pass as they are and wait for the end of their run.
      let from = 0;
      let start = 0;
      while (!over) {
        const runEnd = meter.readRun?.(bytes, start) ?? start;
        if (runEnd > start && meter.runOutput !== undefined) {
          if (from < start) pieces.push(bytes.subarray(from, start));
          pieces.push(meter.runOutput);
          from = runEnd;
        }
        start = runEnd;
        const next = splitter.endOfEvent(start);
        if (next === -1) break;
        const verdict = meter.read(bytes, start, next);
        if (verdict !== 'pass') {
          if (from < start) pieces.push(bytes.subarray(from, start));
          if (verdict === 'rewrite') pieces.push(meter.rewritten);
          // The terminator is kept for whoever ends the stream: a caller that sees it may hang up at once.
          if (verdict === 'done') end = decoder.decode(bytes.subarray(start, next));
          over = verdict === 'done' || verdict === 'error';
          from = next;
        }
        start = next;
      }
      if (from < start) pieces.push(from === 0 && start === bytes.length ? bytes : bytes.subarray(from, start));
      return join(pieces);
    },
    end: () => meter.terminator ?? end,
    fail: (error, requestId) => dialect.writeStreamError(error, requestId, meter.sequence),
  };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  if (first === undefined) return NOTHING;
  if (pieces.length === 1) return first;
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

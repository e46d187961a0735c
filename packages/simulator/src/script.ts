import type { StreamEvent } from './wire/wire.ts';

/** Everything that goes over the socket for one request, and how: an answer is written as a script, then played. */
export interface Script {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Piece[];
  /** Not even a status line is sent; only the ending takes place. */
  readonly withheld?: boolean;
  /** Each piece is a write and an HTTP chunk of its own, also where nothing is paced. */
  readonly separate?: boolean;
  /** Milliseconds before the first byte. */
  readonly delayMs: number;
  /** Milliseconds between writes; 0 sends all pieces in one write. */
  readonly paceMs: number;
  /** Pieces per write of a paced script. */
  readonly burst: number;
  /** Sent after the pieces again and again: for its time as fast as the reader takes it, or one per `paceMs` if that is set. */
  readonly endless?: { readonly bytes: Uint8Array; readonly times: number; readonly paceMs: number };
  /** `end`: as HTTP wants it. `hang`: nothing more, for ever. `reset`: TCP reset. `disconnect`: the socket ends, the body does not. */
  readonly ending: 'end' | 'hang' | 'reset' | 'disconnect';
  /** Written to the idle socket a little after the answer's end. */
  readonly poison?: Uint8Array;
}

/** A part of the body that is written in one go: an event, a half of a JSON body, a single byte. */
export interface Piece {
  readonly kind: StreamEvent['kind'];
  readonly bytes: Uint8Array;
}

const bursts = new WeakMap<readonly Piece[], Burst>();

interface Burst {
  readonly bytes: Uint8Array;
  /** How many of the pieces carry a token. */
  readonly tokens: number;
}

/** The pieces as one buffer, made once for each list. */
export function toBurst(pieces: readonly Piece[]): Burst {
  let burst = bursts.get(pieces);
  if (burst === undefined) {
    burst = { bytes: Buffer.concat(pieces.map((piece) => piece.bytes)), tokens: countTokens(pieces) };
    bursts.set(pieces, burst);
  }
  return burst;
}

export function countTokens(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + (piece.kind === 'content' ? 1 : 0), 0);
}

export function toPieces(events: readonly StreamEvent[]): Piece[] {
  return events.map(({ kind, text }) => ({ kind, bytes: Buffer.from(text) }));
}

/** A body that is not a stream, in two halves, so that faults have a middle to break it in. */
export function toHalves(body: string | Uint8Array): Piece[] {
  const bytes = Buffer.from(body);
  const middle = Math.ceil(bytes.length / 2);
  return [
    { kind: 'content', bytes: bytes.subarray(0, middle) },
    { kind: 'content', bytes: bytes.subarray(middle) },
  ];
}

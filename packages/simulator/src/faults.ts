import { gzipSync } from 'node:zlib';
import type { Directives } from './directives.ts';
import type { FaultName } from './fault-names.ts';
import type { Piece, Script } from './script.ts';
import type { Wire } from './wire/wire.ts';

export interface FaultContext {
  readonly directives: Directives;
  readonly wire: Wire;
  readonly streamed: boolean;
  /** The answer as it would be without streaming. */
  readonly writeAnswer: () => string;
  /** An error inside the stream, after so many events. */
  readonly writeStreamError: (eventsBefore: number) => string;
}

const MEBIBYTE = 1024 * 1024;
const DEFAULT_SIZE_BYTES = 256 * MEBIBYTE;
const DEFAULT_AFTER = 3;
const TRICKLE_PACE_MS = 1_000;

type Fault = (script: Script, context: FaultContext) => Script;

/** A good script made bad. Faults of a request's admission (`auth-once`, …) are dealt with before there is a script. */
const FAULTS: Readonly<Partial<Record<FaultName, Fault>>> = {
  silent: (script) => ({ ...script, withheld: true, ending: 'hang' }),
  'reset-early': (script) => ({ ...script, withheld: true, ending: 'reset' }),
  'disconnect-early': (script) => ({ ...script, withheld: true, ending: 'disconnect' }),
  'headers-only': (script) => ({ ...script, pieces: [], ending: 'hang' }),
  stall: (script, context) => ({ ...script, pieces: head(script, context), ending: 'hang' }),
  reset: (script, context) => ({ ...script, pieces: head(script, context), ending: 'reset' }),
  disconnect: (script, context) => ({ ...script, pieces: head(script, context), ending: 'disconnect' }),
  truncate: (script, context) => ({ ...script, pieces: head(script, context) }),
  'empty-body': (script) => ({ ...script, pieces: [] }),
  'half-event'(script, context) {
    const before = head(script, context);
    const next = script.pieces[before.length]?.bytes ?? new Uint8Array();
    return { ...script, pieces: [...before, raw(next.subarray(0, Math.ceil(next.length / 2)))] };
  },
  'done-without-finish': (script) => ({ ...script, pieces: script.pieces.filter(({ kind }) => kind !== 'finish') }),
  'finish-without-done': (script) => ({ ...script, pieces: script.pieces.filter(({ kind }) => kind !== 'terminator') }),

  'first-event-error': (script, context) => ({ ...script, pieces: [errorPiece(context, 0)] }),
  'role-then-error'(script, context) {
    const before = script.pieces.filter(({ kind }) => kind === 'start').slice(0, 1);
    return { ...script, pieces: [...before, errorPiece(context, before.length)] };
  },
  'mid-stream-error'(script, context) {
    const before = head(script, context);
    return { ...script, pieces: [...before, errorPiece(context, before.length)] };
  },

  html: (script) => ({
    ...script,
    headers: { ...script.headers, 'content-type': 'text/html; charset=utf-8' },
    pieces: [
      raw(
        '<html>\r\n<head><title>Simulated page</title></head>\r\n<body>Not what you asked for.</body>\r\n</html>\r\n',
      ),
    ],
  }),
  'json-on-stream': (script, { writeAnswer }) => ({
    ...script,
    headers: { ...script.headers, 'content-type': 'application/json' },
    pieces: [raw(writeAnswer())],
  }),
  'invalid-utf8': insert((wire) => wire.writeRawDelta('\xff\xfe'), 'latin1'),
  nul: insert((wire) => wire.writeRawDelta('\0')),
  'bad-json': insert((wire) => wire.writeRawDelta('').replace(/data: .*/, 'data: {"id":"broken","choices":[{')),
  split: (script) => ({ ...script, pieces: script.pieces.flatMap(toBytes), separate: true }),

  'huge-line': (script, context) => ({
    ...script,
    pieces: [...head(script, context), raw(context.streamed ? 'data: ' : '"')],
    endless: endless('x'.repeat(MEBIBYTE), context),
  }),
  'endless-data-lines': (script, context) => ({
    ...script,
    pieces: head(script, context),
    endless: endless('data: x\n'.repeat(MEBIBYTE / 8), context),
  }),
  trickle: (script, context) => ({
    ...script,
    pieces: [...head(script, context), raw('data: ')],
    paceMs: 0,
    endless: { bytes: Buffer.from('x'), times: Infinity, paceMs: script.paceMs || TRICKLE_PACE_MS },
  }),
  pings: (script, context) => ({
    ...script,
    pieces: head(script, context),
    paceMs: 0,
    endless: { bytes: Buffer.from(context.wire.ping), times: Infinity, paceMs: script.paceMs || TRICKLE_PACE_MS },
  }),
  'gzip-bomb'(script, { directives }) {
    // A gzip file may have any number of members, so one small one makes them all.
    const member = gzipSync(Buffer.alloc(MEBIBYTE, ' '));
    const members = Math.ceil((directives.size ?? DEFAULT_SIZE_BYTES) / MEBIBYTE);
    const bytes = Buffer.concat(Array.from({ length: members }, () => member));
    return {
      ...script,
      headers: { ...script.headers, 'content-encoding': 'gzip' },
      pieces: [{ kind: 'start', bytes }],
    };
  },
  'many-encodings': (script) => ({
    ...script,
    headers: { ...script.headers, 'content-encoding': Array.from({ length: 1_000 }, () => 'gzip').join(', ') },
  }),
  'many-headers': (script) => ({
    ...script,
    headers: {
      ...script.headers,
      ...Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x-simulated-${index}`, 'x'])),
    },
  }),

  poison(script) {
    const body = '{"poison":"[simulated] an answer that nobody asked for"}';
    const statusLine = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    return { ...script, poison: Buffer.from(statusLine + body) };
  },
};

/** The script with the fault that the directives ask for. */
export function applyFault(script: Script, context: FaultContext): Script {
  const { fault } = context.directives;
  return (fault === undefined ? undefined : FAULTS[fault])?.(script, context) ?? script;
}

/** All that comes before the event after the `after`th content event. An answer that is not streamed has two halves. */
function head(script: Script, { directives, streamed }: FaultContext): Piece[] {
  const after = directives.after ?? (streamed ? DEFAULT_AFTER : 1);
  let seen = 0;
  const next = script.pieces.findIndex(({ kind }) => kind === 'content' && ++seen > after);
  if (next >= 0) return script.pieces.slice(0, next);
  // More than there is: everything but the end, which would make the answer whole.
  const end = script.pieces.findIndex(({ kind }) => kind === 'finish');
  return end < 0 ? [...script.pieces] : script.pieces.slice(0, end);
}

/** Puts one broken event among the good ones. */
function insert(write: (wire: Wire) => string, encoding: BufferEncoding = 'utf8'): Fault {
  return (script, context) => {
    const before = head(script, context);
    const broken = raw(Buffer.from(write(context.wire), encoding));
    return { ...script, pieces: [...before, broken, ...script.pieces.slice(before.length)] };
  };
}

function errorPiece({ wire, streamed, writeStreamError }: FaultContext, eventsBefore: number): Piece {
  return raw(streamed ? writeStreamError(eventsBefore) : wire.writeError(wire.toRefusal(500), 'req_simulated'));
}

function endless(text: string, { directives }: FaultContext): NonNullable<Script['endless']> {
  const bytes = Buffer.from(text);
  return { bytes, times: Math.ceil((directives.size ?? DEFAULT_SIZE_BYTES) / bytes.length), paceMs: 0 };
}

function toBytes({ kind, bytes }: Piece): Piece[] {
  const last = bytes.length - 1;
  return Array.from(bytes, (_, at) => ({ kind: at === last ? kind : 'start', bytes: bytes.subarray(at, at + 1) }));
}

function raw(bytes: string | Uint8Array): Piece {
  return { kind: 'start', bytes: Buffer.from(bytes) };
}

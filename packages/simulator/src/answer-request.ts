import type { IncomingHttpHeaders } from 'node:http';
import { toAnswer, type Ask } from './answer.ts';
import { directivesIn, parseDirectives, type Directives } from './directives.ts';
import { applyFault } from './faults.ts';
import { readRecording } from './recordings.ts';
import { toHalves, toPieces, type Piece, type Script } from './script.ts';
import { shapeStream } from './stream-shape.ts';
import type { Refusal, Wire } from './wire/wire.ts';

export interface AnsweringOptions {
  readonly recordingsDir: string | undefined;
  /** Milliseconds between events where no directive says it. */
  readonly paceMs: number;
}

export interface Asked {
  readonly wire: Wire;
  /** The directives of the path, as they stand there. */
  readonly pathDirectives: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Answered {
  readonly script: Script;
  readonly directives: Directives;
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'transfer-encoding': 'chunked',
};
const JSON_HEADERS = { 'content-type': 'application/json' };
const MOST_REMEMBERED = 512;

/** Writes the scripts of answers and remembers what that needs: answers already written, faults already committed. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #parsed = new Map<string, Directives>();
  readonly #pieces = new Map<string, readonly Piece[]>();
  readonly #failures = new Map<string, number>();
  readonly #expiredKeys = new Map<string, string>();

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  /**
   * @throws Refusal when the request is wrong.
   * @throws DirectiveError when its directives are.
   */
  answer({ wire, pathDirectives, headers, body }: Asked): Answered {
    wire.checkKey(headers);
    const ask = wire.readRequest(body);
    const ownDirectives = directivesIn(ask.lastUserText);
    const source = `${pathDirectives} ${ownDirectives}`;
    const all = remember(this.#parsed, source, () => parseDirectives(source));
    const parsedOwn = remember(this.#parsed, ownDirectives, () => parseDirectives(ownDirectives));
    const isOwnFault = parsedOwn.fault !== undefined || parsedOwn.status !== undefined;
    const faultKey = isOwnFault ? ownDirectives : pathDirectives;
    const directives = this.#isFaultDue(all, faultKey) ? all : withoutFault(all);

    const refusal = this.#toRefusal(directives, { wire, headers, faultKey });
    if (refusal !== undefined) return { script: toErrorScript(wire, refusal, directives), directives };
    return { script: this.#writeScript(wire, ask, { directives, source }), directives };
  }

  #writeScript(wire: Wire, ask: Ask, { directives, source }: { directives: Directives; source: string }): Script {
    const writeAnswer = (): string => wire.writeAnswer(toAnswer(ask, directives), ask);
    const pacing = {
      delayMs: directives.delayMs ?? 0,
      paceMs: directives.paceMs ?? this.#options.paceMs,
      burst: directives.burst ?? 1,
      ending: 'end' as const,
    };
    if (directives.recording !== undefined) {
      const { streamed, ...recording } = readRecording(this.#options.recordingsDir, directives.recording);
      return applyFault({ ...recording, ...pacing }, { directives, wire, streamed, writeAnswer });
    }
    const write = (): readonly Piece[] =>
      ask.stream
        ? shapeStream(toPieces(wire.writeStream(toAnswer(ask, directives), ask)), directives)
        : toHalves(writeAnswer());
    // Equal requests get equal bytes, so one of them is written for all. Tools make a request too long for a key.
    const pieces =
      ask.tools.length > 0 ? write() : remember(this.#pieces, `${wire.name} ${source} ${toKey(ask)}`, write);
    const script = ask.stream
      ? { status: 200, headers: STREAM_HEADERS, pieces, ...pacing }
      : { status: 200, headers: JSON_HEADERS, pieces, ...pacing, paceMs: 0 };
    return applyFault(script, { directives, wire, streamed: ask.stream, writeAnswer });
  }

  /** Counts the failures of directives that are to fail a limited number of times. */
  #isFaultDue(directives: Directives, faultKey: string): boolean {
    const times = directives.fault === 'auth-once' ? 1 : directives.times;
    if (times === undefined) return true;
    const failures = this.#failures.get(faultKey) ?? 0;
    if (failures >= times) return false;
    this.#failures.set(faultKey, failures + 1);
    return true;
  }

  #toRefusal(
    directives: Directives,
    { wire, headers, faultKey }: { wire: Wire; headers: IncomingHttpHeaders; faultKey: string },
  ): Refusal | undefined {
    if (directives.status !== undefined) return wire.toRefusal(directives.status);
    if (directives.fault === 'context-length') return wire.contextRefusal;
    if (directives.fault === 'auth-once') return wire.toRefusal(401);
    if (directives.fault !== 'expired-key') return undefined;
    const key = String(headers['x-api-key'] ?? headers.authorization);
    return remember(this.#expiredKeys, faultKey, () => key) === key ? wire.toRefusal(401) : undefined;
  }
}

/** The answer to a request that is turned down. */
export function toErrorScript(wire: Wire, refusal: Refusal, directives: Directives = {}): Script {
  const { retryAfter, retryAfterMs, delayMs = 0 } = directives;
  const date = retryAfter === 'date' ? new Date(Date.now() + 2_000).toUTCString() : retryAfter;
  return {
    status: refusal.status,
    headers: {
      ...JSON_HEADERS,
      ...(date !== undefined && { 'retry-after': date }),
      ...(retryAfterMs !== undefined && { 'retry-after-ms': retryAfterMs }),
    },
    pieces: toHalves(wire.writeError(refusal, 'req_simulated')),
    delayMs,
    paceMs: 0,
    burst: 1,
    ending: 'end',
  };
}

function withoutFault({ fault: _fault, status: _status, ...rest }: Directives): Directives {
  return rest;
}

/** All that an answer without tools depends on, beside its directives. */
function toKey(ask: Ask): string {
  const { model, stream, includeUsage, continuousUsage, obfuscation, choices, maxTokens, thinking } = ask;
  const counts = /count from \d\d? to \d\d?\b/i.exec(ask.lastUserText)?.[0] ?? '';
  return `${stream} ${includeUsage} ${continuousUsage} ${obfuscation} ${choices} ${maxTokens} ${thinking} ${ask.promptCharacters} ${counts} ${model}`;
}

function remember<Value>(memory: Map<string, Value>, key: string, make: () => Value): Value {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = make();
  const oldest = memory.keys().next();
  if (memory.size >= MOST_REMEMBERED && !oldest.done) memory.delete(oldest.value);
  memory.set(key, value);
  return value;
}

import type { IncomingHttpHeaders } from 'node:http';
import { toAnswer, type Ask } from './answer.ts';
import { directivesIn, hasFault, layDirectives, parseDirectives, withoutFault, type Directives } from './directives.ts';
import { applyFault } from './faults.ts';
import type { Imposition } from './impositions.ts';
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
  /** What the test imposed on the path. */
  readonly imposed: Imposition | undefined;
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
const DATE_AHEAD_S = 2;
const MOST_REMEMBERED = 512;

/** The directives that hold for a request, and what those of its fault are counted by. */
interface Layers {
  readonly directives: Directives;
  readonly faultKey: string;
}

/** Writes the scripts of answers and remembers what that needs: answers already written, faults already committed. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #layers = new Map<string, Layers>();
  readonly #pieces = new Map<string, readonly Piece[]>();
  readonly #counts = new Map<string, number>();
  readonly #expiredKeys = new Map<string, string>();

  constructor(options: AnsweringOptions) {
    this.#options = options;
  }

  /**
   * @throws Refusal when the request is wrong.
   * @throws DirectiveError when its directives are.
   */
  answer({ wire, pathDirectives, imposed, headers, body }: Asked): Answered {
    wire.checkKey(headers);
    const ask = wire.readRequest(body);
    const ownDirectives = directivesIn(ask.lastUserText);
    const source = `${pathDirectives}\n${ownDirectives}\n${imposed?.key ?? ''}`;
    const layers = remember(this.#layers, source, () => layAll(pathDirectives, ownDirectives, imposed));
    const { faultKey } = layers;
    const directives = this.#isFaultDue(layers) ? layers.directives : withoutFault(layers.directives);

    const refusal = this.#toRefusal(directives, { wire, headers, faultKey });
    if (refusal !== undefined) return { script: toErrorScript(wire, refusal, directives), directives };
    return { script: this.#writeScript(wire, ask, { directives, source }), directives };
  }

  #writeScript(wire: Wire, ask: Ask, { directives, source }: { directives: Directives; source: string }): Script {
    const writeAnswer = (): string => wire.writeAnswer(toAnswer(ask, directives), ask);
    const writeStreamError = (eventsBefore: number): string =>
      wire.writeStreamError({ answer: toAnswer(ask, directives), ask, eventsBefore });
    const pacing = {
      delayMs: directives.delayMs ?? 0,
      paceMs: directives.paceMs ?? this.#options.paceMs,
      burst: directives.burst ?? 1,
      ending: 'end' as const,
    };
    if (directives.recording !== undefined) {
      const { streamed, ...recording } = readRecording(this.#options.recordingsDir, directives.recording);
      return applyFault({ ...recording, ...pacing }, { directives, wire, streamed, writeAnswer, writeStreamError });
    }
    const write = (): readonly Piece[] =>
      ask.stream
        ? shapeStream(toPieces(wire.writeStream(toAnswer(ask, directives), ask)), directives)
        : toHalves(writeAnswer());
    // Equal requests get equal bytes, so one of them is written for all. Tools and schemas make a request too long for a key.
    const isOwn = wire.repeatsRequest === true || ask.tools.length > 0 || ask.format !== undefined;
    const pieces = isOwn
      ? write()
      : remember(this.#pieces, `${wire.name} ${wire.route} ${source} ${toKey(ask)}`, write);
    const script = ask.stream
      ? { status: 200, headers: STREAM_HEADERS, pieces, ...pacing }
      : { status: 200, headers: JSON_HEADERS, pieces, ...pacing, paceMs: 0 };
    return applyFault(script, { directives, wire, streamed: ask.stream, writeAnswer, writeStreamError });
  }

  /** Counts the requests of directives that are to fail only sometimes. */
  #isFaultDue({ directives, faultKey }: Layers): boolean {
    const { every = 1, times = directives.fault === 'auth-once' ? 1 : Infinity } = directives;
    if (every === 1 && times === Infinity) return true;
    const count = (this.#counts.get(faultKey) ?? 0) + 1;
    this.#counts.set(faultKey, count);
    return count % every === 0 && count / every <= times;
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
  return {
    status: refusal.status,
    headers: {
      ...JSON_HEADERS,
      ...(retryAfter !== undefined && { 'retry-after': toRetryAfter(retryAfter) }),
      ...(retryAfterMs !== undefined && { 'retry-after-ms': retryAfterMs }),
    },
    pieces: toHalves(wire.writeError(refusal, 'req_simulated')),
    delayMs,
    paceMs: 0,
    burst: 1,
    ending: 'end',
  };
}

function layAll(pathDirectives: string, ownDirectives: string, imposed: Imposition | undefined): Layers {
  const own = parseDirectives(ownDirectives);
  const directives = layDirectives(parseDirectives(pathDirectives), own);
  const faultKey = hasFault(own) ? ownDirectives : pathDirectives;
  if (imposed === undefined) return { directives, faultKey };
  return {
    directives: layDirectives(directives, imposed.directives),
    faultKey: hasFault(imposed.directives) ? imposed.key : faultKey,
  };
}

/** `Retry-After` as asked for; `date`, `date+60` and `date-60` become a date. */
function toRetryAfter(value: string): string {
  const offset = /^date(?<seconds>[+-]\d{1,9})?$/.exec(value);
  if (offset === null) return value;
  const seconds = Number(offset.groups?.['seconds'] ?? DATE_AHEAD_S);
  return new Date(Date.now() + seconds * 1_000).toUTCString();
}

/** All that an answer without tools and schema depends on, beside its directives. */
function toKey(ask: Ask): string {
  const { model, stream, includeUsage, continuousUsage, obfuscation, choices, maxTokens, thinking, topLogprobs } = ask;
  const counts = /count from \d\d? to \d\d?\b/i.exec(ask.lastUserText)?.[0] ?? '';
  return `${stream} ${includeUsage} ${continuousUsage} ${obfuscation} ${choices} ${maxTokens} ${thinking} ${topLogprobs} ${ask.promptCharacters} ${counts} ${model}`;
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

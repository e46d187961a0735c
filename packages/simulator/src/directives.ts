import { FAULT_NAMES, type FaultName } from './fault-names.ts';

/**
 * What a request asks of the simulator itself, beside what it asks of the model. Written as `[simulate tokens=103 pace=0]`
 * in the text of the last user message, or as `/sim/tokens=103,pace=0` in front of the path; the message wins.
 * An absent member leaves the matter to the simulator's defaults.
 */
export interface Directives {
  /** Token groups of the answer's text. Given together with tools, the text comes before the calls. */
  readonly tokens?: number;
  /** Token groups of reasoning before the text. */
  readonly reasoning?: number;
  /** Tool calls of the answer; 0 answers in text although tools are there. */
  readonly tools?: number;
  readonly seed?: number;
  /** Text of characters of two to four bytes. */
  readonly multibyte?: boolean;
  /** Milliseconds between writes; 0 sends the whole answer in one. */
  readonly paceMs?: number;
  /** Events per write of a paced stream. */
  readonly burst?: number;
  /** Milliseconds before the first byte. */
  readonly delayMs?: number;

  /** Reported prompt tokens; else one for each 4 characters of the messages. */
  readonly prompt?: number;
  /** How many of the prompt tokens are reported as read from the cache. */
  readonly cached?: number;
  /** How the usage report lies. */
  readonly usage?: 'absent' | 'negative' | 'huge' | 'decreasing';

  /** Line ends of the stream. */
  readonly newline?: 'lf' | 'crlf' | 'cr' | 'mixed';
  /** The stream begins with a byte order mark. */
  readonly bom?: boolean;
  /** A comment stands before each event. */
  readonly comments?: boolean;

  /** `<provider>/<name>` of a recording, replayed byte for byte. */
  readonly recording?: string;

  readonly fault?: FaultName;
  /** Status of an error answer in place of the answer. */
  readonly status?: number;
  /** `Retry-After` of that error answer, as it stands; `date` is a date two seconds ahead, `date+N` and `date-N` one N seconds off. */
  readonly retryAfter?: string;
  readonly retryAfterMs?: string;
  /** Content events that pass before the fault; 3 if absent. */
  readonly after?: number;
  /** Bytes of the faults that send very much. */
  readonly size?: number;
  /** Only so many requests with this very directive fail, the first ones that are due; absent means all. */
  readonly times?: number;
  /** Of the requests with this very directive only each Nth fails, from the Nth on; absent means each. */
  readonly every?: number;
  /** Does nothing: tells apart two directives that are otherwise equal. */
  readonly label?: string;
}

/** A directive that the simulator does not understand; answered with a 400 so that no test passes by a slip of the pen. */
export class DirectiveError extends Error {
  override readonly name = 'DirectiveError';
}

const READERS: Readonly<Record<string, (value: string) => Directives>> = {
  tokens: (value) => ({ tokens: whole(value) }),
  reasoning: (value) => ({ reasoning: whole(value) }),
  tools: (value) => ({ tools: whole(value) }),
  seed: (value) => ({ seed: whole(value) }),
  multibyte: (value) => ({ multibyte: flag(value) }),
  pace: (value) => ({ paceMs: whole(value) }),
  burst: (value) => ({ burst: Math.max(1, whole(value)) }),
  delay: (value) => ({ delayMs: whole(value) }),
  prompt: (value) => ({ prompt: whole(value) }),
  cached: (value) => ({ cached: whole(value) }),
  usage: (value) => ({ usage: oneOf(['absent', 'negative', 'huge', 'decreasing'], value) }),
  newline: (value) => ({ newline: oneOf(['lf', 'crlf', 'cr', 'mixed'], value) }),
  bom: (value) => ({ bom: flag(value) }),
  comments: (value) => ({ comments: flag(value) }),
  recording: (value) => ({ recording: value }),
  fault: (value) => ({ fault: oneOf(FAULT_NAMES, value) }),
  status: (value) => ({ status: errorStatus(value) }),
  'retry-after': (value) => ({ retryAfter: value }),
  'retry-after-ms': (value) => ({ retryAfterMs: value }),
  after: (value) => ({ after: whole(value) }),
  size: (value) => ({ size: whole(value) }),
  times: (value) => ({ times: whole(value) }),
  every: (value) => ({ every: Math.max(1, whole(value)) }),
  label: (value) => ({ label: value }),
};

/** The directives of both, those of `over` first. Of two faults the one of `base` goes, with all that was said of it. */
export function layDirectives(base: Directives, over: Directives): Directives {
  return { ...(hasFault(over) && hasFault(base) ? withoutFault(base) : base), ...over };
}

/** Whether they ask for something else than a good answer. */
export function hasFault({ fault, status }: Directives): boolean {
  return fault !== undefined || status !== undefined;
}

export function withoutFault(directives: Directives): Directives {
  const {
    fault: _fault,
    status: _status,
    retryAfter: _retryAfter,
    retryAfterMs: _retryAfterMs,
    ...others
  } = directives;
  const { after: _after, size: _size, times: _times, every: _every, ...rest } = others;
  return rest;
}

/**
 * Reads `key=value` pairs parted by spaces or commas. `fault=` may also stand before another key (`fault=status=500`).
 * @throws DirectiveError
 */
export function parseDirectives(text: string): Directives {
  let directives: Directives = {};
  for (const pair of text.split(/[\s,]+/)) {
    if (pair === '') continue;
    const { key = '', value = '' } = /^(?:fault=(?=[^=]+=))?(?<key>[^=]+)=(?<value>.*)$/s.exec(pair)?.groups ?? {};
    const read = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
    if (read === undefined) throw new DirectiveError(`unknown directive ${JSON.stringify(pair)}`);
    directives = { ...directives, ...read(value) };
  }
  return directives;
}

/** The directives' own text in a message, `''` if there are none. */
export function directivesIn(message: string): string {
  return /\[simulate ([^\]]*)\]/.exec(message)?.[1] ?? '';
}

function whole(value: string): number {
  if (!/^\d{1,12}$/.test(value)) throw new DirectiveError(`${JSON.stringify(value)} is not a whole number`);
  return Number(value);
}

function flag(value: string): boolean {
  return oneOf(['0', '1'], value) === '1';
}

function errorStatus(value: string): number {
  if (!/^[45]\d\d$/.test(value)) throw new DirectiveError(`${JSON.stringify(value)} is not an error status`);
  return Number(value);
}

function oneOf<const Value extends string>(values: readonly Value[], value: string): Value {
  const found = values.find((known) => known === value);
  if (found === undefined) throw new DirectiveError(`${JSON.stringify(value)} is none of ${values.join(', ')}`);
  return found;
}

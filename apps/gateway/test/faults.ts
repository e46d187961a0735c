import type { ErrorCode } from '@tokenhub/core';
import type { Timeouts } from './fault-providers.ts';

/*
 * The rows F44 to F66 of the fault matrix, and where each is tried: what can be told as "this goes wrong, before or after the
 * first content" is in the two tables below, for the two walls (fault-wall-before.test.ts, fault-wall-after.test.ts). F52 is
 * also in rate-limited-provider.test.ts; F53 in credentials.test.ts; F57 to F60 and F63 in hostile-provider.test.ts; F64 and F65
 * in outage.test.ts; F66 beside its code, packages/core/src/undici/guarded-lookup.test.ts.
 */

/** Something that a provider does wrong. */
export interface Fault {
  /** Of the fault matrix. */
  readonly row: string;
  readonly name: string;
  /** What makes the simulator do it; absent when `at` says it all. */
  readonly directives?: string;
  readonly timeouts?: Timeouts;
  /** What the gateway makes of it, as the ledger tells; several where that depends on the provider or on the moment. */
  readonly code: ErrorCode | readonly ErrorCode[];
}

/** A fault of which no content has come when it shows. */
export interface EarlyFault extends Fault {
  /** Absent: the simulator. */
  readonly at?: 'refusing' | 'hanging' | 'resetting' | 'mute' | 'plain' | 'muteTls';
  /** Absent: in both. */
  readonly only?: 'streamed' | 'whole';
}

const SOON = { first_event_ms: 150, whole_answer_ms: 150 };
/** It depends on whether the headers came to be read. */
const BROKEN_OFF = ['upstream_disconnected', 'upstream_unavailable'] as const;
/** Anthropic says that it is overloaded. */
const ERROR_INSIDE = ['upstream_error', 'upstream_unavailable'] as const;
const MEBIBYTE = 1024 * 1024;

/** What the next deployment of the model makes good. `after=0` leaves what comes before the first content: a role, a ping. */
export const EARLY_FAULTS: readonly EarlyFault[] = [
  // No connection
  { row: 'F44', name: 'a refused connection', at: 'refusing', code: 'upstream_unavailable' },
  { row: 'F44', name: 'a connect that hangs', at: 'hanging', timeouts: { connect_ms: 150 }, code: 'upstream_timeout' },
  { row: 'F44', name: 'a connection that is reset at once', at: 'resetting', code: 'upstream_unavailable' },
  { row: 'F44', name: 'TLS spoken to plain HTTP', at: 'plain', code: 'upstream_unavailable' },
  {
    row: 'F44',
    name: 'a TLS handshake that is never answered',
    at: 'muteTls',
    timeouts: { connect_ms: 150 },
    code: 'upstream_timeout',
  },

  // No answer
  { row: 'F45', name: 'a request that is swallowed', at: 'mute', timeouts: SOON, code: 'upstream_timeout' },
  { row: 'F45', name: 'silence', directives: 'fault=silent', timeouts: SOON, code: 'upstream_timeout' },
  { row: 'F45', name: 'a reset in place of an answer', directives: 'fault=reset-early', code: 'upstream_unavailable' },
  {
    row: 'F45',
    name: 'an end in place of an answer',
    directives: 'fault=disconnect-early',
    code: 'upstream_unavailable',
  },

  // Nothing in the answer
  { row: 'F46', name: 'headers only', directives: 'fault=headers-only', timeouts: SOON, code: 'upstream_timeout' },
  {
    row: 'F46',
    name: 'pings only',
    directives: 'fault=pings,after=0,pace=50',
    timeouts: SOON,
    code: 'upstream_timeout',
  },
  {
    row: 'F46',
    name: 'a role, then silence',
    directives: 'fault=stall,after=0',
    timeouts: SOON,
    code: 'upstream_timeout',
    only: 'streamed',
  },
  {
    row: 'F46',
    name: 'half an answer, then silence',
    directives: 'fault=stall',
    timeouts: SOON,
    code: 'upstream_timeout',
    only: 'whole',
  },
  { row: 'F46', name: 'a reset before any content', directives: 'fault=reset,after=0', code: BROKEN_OFF },
  { row: 'F46', name: 'an end before any content', directives: 'fault=disconnect,after=0', code: BROKEN_OFF },
  {
    row: 'F46',
    name: 'a reset in the middle of the body',
    directives: 'fault=reset',
    code: 'upstream_disconnected',
    only: 'whole',
  },
  {
    row: 'F46',
    name: 'an end in the middle of the body',
    directives: 'fault=disconnect',
    code: 'upstream_disconnected',
    only: 'whole',
  },
  {
    row: 'F49',
    name: 'a good end before any content',
    directives: 'fault=truncate,after=0',
    code: 'upstream_protocol',
  },
  {
    row: 'F49',
    name: 'a good end in the middle of the body',
    directives: 'fault=truncate',
    code: 'upstream_protocol',
    only: 'whole',
  },
  {
    row: 'F49',
    name: 'half an event, then a good end',
    directives: 'fault=half-event,after=0',
    code: 'upstream_protocol',
  },
  { row: 'F49', name: 'an empty body', directives: 'fault=empty-body', code: 'upstream_protocol' },

  // A refusal
  ...[408, 504].map((status): EarlyFault => refusal('F51', status, 'upstream_timeout')),
  ...[500, 502, 503, 529].map((status): EarlyFault => refusal('F51', status, 'upstream_unavailable')),
  { ...refusal('F51', 404, 'upstream_unavailable'), name: '404: a model that it does not know' },
  { ...refusal('F52', 429, 'upstream_rate_limited'), name: '429 without Retry-After' },
  { row: 'F52', name: '429 for two minutes', directives: 'status=429,retry-after=120', code: 'upstream_rate_limited' },
  { ...refusal('F53', 401, 'upstream_auth'), name: '401, and again with its key read anew' },
  { ...refusal('F53', 403, 'upstream_auth'), name: '403' },

  // Something else
  {
    row: 'F55',
    name: 'an error as the first event',
    directives: 'fault=first-event-error',
    code: ERROR_INSIDE,
    only: 'streamed',
  },
  {
    row: 'F55',
    name: 'an error inside a 200',
    directives: 'fault=first-event-error',
    code: ERROR_INSIDE,
    only: 'whole',
  },
  {
    row: 'F55',
    name: 'a role, then an error',
    directives: 'fault=role-then-error',
    code: ERROR_INSIDE,
    only: 'streamed',
  },
  { row: 'F56', name: 'a page of HTML', directives: 'fault=html', code: 'upstream_protocol' },
  {
    row: 'F56',
    name: 'JSON on a stream',
    directives: 'fault=json-on-stream',
    code: 'upstream_protocol',
    only: 'streamed',
  },
  {
    row: 'F57',
    name: 'a line without end',
    directives: `fault=huge-line,after=0,size=${3 * MEBIBYTE}`,
    code: 'upstream_protocol',
    only: 'streamed',
  },
  {
    row: 'F57',
    name: 'data lines without end',
    directives: `fault=endless-data-lines,after=0,size=${5 * MEBIBYTE}`,
    code: 'upstream_protocol',
    only: 'streamed',
  },
  {
    row: 'F57',
    name: 'a body of more than 32 MiB',
    directives: `fault=huge-line,after=0,size=${34 * MEBIBYTE}`,
    code: 'upstream_protocol',
    only: 'whole',
  },
  {
    row: 'F59',
    name: 'invalid JSON before any content',
    directives: 'fault=bad-json,after=0',
    code: 'upstream_protocol',
  },
  {
    row: 'F59',
    name: 'a NUL before any content',
    directives: 'fault=nul,after=0',
    code: 'upstream_protocol',
    only: 'streamed',
  },
  {
    row: 'F59',
    name: 'a body of invalid UTF-8',
    directives: 'fault=invalid-utf8',
    code: 'upstream_protocol',
    only: 'whole',
  },
  { row: 'F61', name: 'a gzip bomb', directives: `fault=gzip-bomb,size=${64 * MEBIBYTE}`, code: 'upstream_protocol' },
  {
    row: 'F61',
    name: 'a thousand content encodings',
    directives: 'fault=many-encodings',
    code: 'upstream_protocol',
  },
  { row: 'F61', name: 'ten thousand headers', directives: 'fault=many-headers', code: 'upstream_protocol' },
  {
    row: 'F62',
    name: 'a trickle without content',
    directives: 'fault=trickle,after=0,pace=50',
    timeouts: SOON,
    code: 'upstream_timeout',
  },
];

function refusal(row: string, status: number, code: ErrorCode): EarlyFault {
  return { row, name: `${status}`, directives: `status=${status}`, code };
}

/** A fault after the first content. */
export interface LateFault extends Fault {
  /** What certainly came before it; absent: the first three tokens, whole. */
  readonly before?: 'all' | 'some';
  /** It is a bound of ours, and so no fault of the provider's. */
  readonly blameless?: true;
}

/** Tokens of the answers that break off. */
export const LATE_TOKENS = 12;

const cut = `tokens=${LATE_TOKENS},pace=5`;

/** What a caller must be told of, since half an answer has gone out. Three tokens come before it. */
export const LATE_FAULTS: readonly LateFault[] = [
  {
    row: 'F47',
    name: 'silence',
    directives: `${cut},fault=stall`,
    timeouts: { idle_ms: 300 },
    code: 'upstream_timeout',
  },
  {
    row: 'F47',
    name: 'pings without an end',
    directives: `${cut},fault=pings,pace=50`,
    timeouts: { progress_ms: 300 },
    code: 'upstream_timeout',
  },
  // A reset may overtake what came right before it.
  { row: 'F48', name: 'a reset', directives: `${cut},fault=reset`, code: 'upstream_disconnected', before: 'some' },
  {
    row: 'F48',
    name: 'an end of the connection',
    directives: `${cut},fault=disconnect`,
    code: 'upstream_disconnected',
  },
  { row: 'F49', name: 'a good end', directives: `${cut},fault=truncate`, code: 'upstream_protocol' },
  {
    row: 'F49',
    name: 'a good end without finish and terminator',
    directives: `${cut},fault=truncate,after=99`,
    code: 'upstream_protocol',
    before: 'all',
  },
  {
    row: 'F49',
    name: 'half an event, then a good end',
    directives: `${cut},fault=half-event`,
    code: 'upstream_protocol',
  },
  { row: 'F55', name: 'an error', directives: `${cut},fault=mid-stream-error`, code: ERROR_INSIDE },
  {
    row: 'F57',
    name: 'a line without end',
    directives: `${cut},fault=huge-line,size=${3 * MEBIBYTE}`,
    code: 'upstream_protocol',
  },
  {
    row: 'F57',
    name: 'data lines without end',
    directives: `${cut},fault=endless-data-lines,size=${5 * MEBIBYTE}`,
    code: 'upstream_protocol',
  },
  { row: 'F59', name: 'invalid JSON', directives: `${cut},fault=bad-json`, code: 'upstream_protocol' },
  { row: 'F59', name: 'a NUL', directives: `${cut},fault=nul`, code: 'upstream_protocol' },
  {
    row: 'F62',
    name: 'a trickle',
    directives: `${cut},fault=trickle,pace=50`,
    timeouts: { progress_ms: 300 },
    code: 'upstream_timeout',
  },
  {
    row: 'F62',
    name: 'content that comes too slowly to end',
    directives: 'tokens=100,pace=50',
    timeouts: { total_ms: 400 },
    code: 'upstream_timeout',
    before: 'some',
    blameless: true,
  },
];

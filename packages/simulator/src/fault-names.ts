/** Everything that the simulator does wrong on demand; what each one does stands in the table of the README. */
export const FAULT_NAMES = [
  // Nothing, or not all of it
  'silent',
  'reset-early',
  'disconnect-early',
  'headers-only',
  'stall',
  'trickle',
  'pings',
  'reset',
  'disconnect',
  'truncate',
  'half-event',
  'done-without-finish',
  'finish-without-done',
  'empty-body',
  // Errors
  'auth-once',
  'expired-key',
  'context-length',
  'first-event-error',
  'role-then-error',
  'mid-stream-error',
  // Not what was asked for
  'html',
  'json-on-stream',
  'invalid-utf8',
  'nul',
  'bad-json',
  'split',
  // Too much of it
  'huge-line',
  'endless-data-lines',
  'gzip-bomb',
  'many-encodings',
  'many-headers',
  // After the end
  'poison',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

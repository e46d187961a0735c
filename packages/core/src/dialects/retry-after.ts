/** `Date.parse` makes a date of nearly anything, `-5` for one, so it only gets what looks like one. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .{0,30} GMT$/;

/**
 * How long a provider asks to be left alone, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date,
 * which is measured from the answer's own `date` so that two clocks need not agree. `undefined` when it says nothing that makes sense.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after; `retry-after-ms` is what OpenAI's and Anthropic's clients read.
 */
export function readRetryAfterMs(headers: Readonly<Record<string, string | undefined>>): number | undefined {
  const milliseconds = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return Math.ceil(milliseconds);
  const after = headers['retry-after'];
  if (after === undefined) return undefined;
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(after)) return Math.ceil(Number(after) * 1000);
  const at = HTTP_DATE.test(after) ? Date.parse(after) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const now = Date.parse(headers['date'] ?? '');
  return Math.max(0, at - (Number.isNaN(now) ? Date.now() : now));
}

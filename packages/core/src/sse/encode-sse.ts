import { toLineFeeds } from './line-ends.ts';

/**
 * One event as text, blank line included. Data of several lines becomes as many `data` lines; a reader gets it back with
 * LF as its line end.
 * @throws TypeError when the event's name holds a line break, which the format cannot carry.
 */
export function encodeEvent({ event, data }: { readonly event?: string | undefined; readonly data: string }): string {
  if (event === undefined) return `data: ${prefixLines('data: ', data)}\n\n`;
  if (event.includes('\n') || event.includes('\r')) throw new TypeError('an SSE event name is one line');
  return `event: ${event}\ndata: ${prefixLines('data: ', data)}\n\n`;
}

/** A comment as text, blank line included, so that it never becomes part of an event. Readers skip it. */
export function encodeComment(text: string): string {
  return `: ${prefixLines(': ', text)}\n\n`;
}

/** The text with `prefix` before its second and every later line. */
function prefixLines(prefix: string, text: string): string {
  return toLineFeeds(text).replaceAll('\n', `\n${prefix}`);
}

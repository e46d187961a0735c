const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/**
 * Where the string whose content begins at `start` has its closing quote; -1 when it has none, or holds a character that
 * JSON wants escaped.
 */
export function findClosingQuote(json: string, start: number): number {
  for (let at = start; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code < SPACE) return -1;
    if (code === BACKSLASH) at++;
  }
  return -1;
}

/** The text of the string whose content is `json[start, end)`; `undefined` when an escape in it is none of JSON's. */
export function readStringContent(json: string, start: number, end: number): string | undefined {
  const content = json.slice(start, end);
  if (!content.includes('\\')) return content;
  try {
    const text: unknown = JSON.parse(`"${content}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

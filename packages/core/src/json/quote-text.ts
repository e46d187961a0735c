const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MAX_SCANNED_LENGTH = 64;

/**
 * The same as `JSON.stringify(text)`. A short text without anything to escape, as nearly every delta of a stream has, is
 * only put in quotes, for a fifth of the time.
 */
export function quoteText(text: string): string {
  if (text.length > MAX_SCANNED_LENGTH) return JSON.stringify(text);
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // Of a surrogate pair either half alone would be escaped.
    if (code < 0x20 || code === QUOTE || code === BACKSLASH || (code >= 0xd800 && code < 0xe000)) {
      return JSON.stringify(text);
    }
  }
  return `"${text}"`;
}

/**
 * Bytes of `text` in UTF-8. Half of a surrogate pair without its other half counts as two. Up to some hundred characters
 * this takes a fraction of what encoding them takes, and a stream's deltas have a few.
 */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // The two halves of a surrogate pair are four bytes together.
    if (code >= 0x80) length += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return length;
}

/**
 * Finding one's way in the bytes of a JSON text without parsing it. All functions expect a text that `JSON.parse` has
 * accepted; on any other they return a wrong place, but they always end and never throw.
 */

export const QUOTE = 0x22;
export const COLON = 0x3a;
export const OPENING_BRACE = 0x7b;
export const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** A piece of a text, `[start, end)`. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** A member of an object: from its key's opening quote to the end of its value. */
export interface MemberExtent extends Extent {
  readonly valueStart: number;
}

/** The first byte at or after `at` that is not white space. */
export function skipSpace(json: Uint8Array, at: number): number {
  while (isSpace(json[at])) at++;
  return at;
}

/** One past the closing quote of the string that opens at `at`. */
export function endOfString(json: Uint8Array, at: number): number {
  for (at++; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return json.length;
}

/** One past the value that begins at `at`. */
export function endOfValue(json: Uint8Array, at: number): number {
  const first = json[at];
  if (first === QUOTE) return endOfString(json, at);
  if (!isOpening(first)) {
    while (at < json.length && !isEndOfScalar(json[at])) at++;
    return at;
  }
  for (let depth = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if (isOpening(byte)) depth++;
    else if (isClosing(byte) && --depth === 0) return at + 1;
  }
  return json.length;
}

/**
 * The member called `name` of the object that opens at `objectStart`; of several with that name the last, as `JSON.parse`
 * takes it. A key written with escapes is not recognised.
 */
export function findMember(json: Uint8Array, objectStart: number, name: string): MemberExtent | undefined {
  let found: MemberExtent | undefined;
  let at = skipSpace(json, objectStart + 1);
  while (json[at] === QUOTE) {
    const keyEnd = endOfString(json, at);
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = endOfValue(json, valueStart);
    if (isText(json, { start: at + 1, end: keyEnd - 1 }, name)) found = { start: at, valueStart, end };
    at = skipSpace(json, end);
    if (json[at] === COMMA) at = skipSpace(json, at + 1);
  }
  return found;
}

/** Where the elements of the array that opens at `arrayStart` begin. */
export function* elementsOf(json: Uint8Array, arrayStart: number): Generator<number> {
  let at = skipSpace(json, arrayStart + 1);
  if (json[at] === CLOSING_BRACKET) return;
  for (;;) {
    yield at;
    at = skipSpace(json, endOfValue(json, at));
    if (json[at] !== COMMA) return;
    at = skipSpace(json, at + 1);
  }
}

/** What to take out so that the member is gone and the rest is still JSON: the member with one of the commas beside it. */
export function extentWithComma(json: Uint8Array, member: Extent): Extent {
  let before = member.start - 1;
  while (isSpace(json[before])) before--;
  if (json[before] === COMMA) return { start: before, end: member.end };
  const after = skipSpace(json, member.end);
  if (json[after] === COMMA) return { start: member.start, end: skipSpace(json, after + 1) };
  return member;
}

/** True when the bytes of `extent` are `text`, which must be ASCII. */
export function isText(json: Uint8Array, extent: Extent, text: string): boolean {
  if (extent.end - extent.start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (json[extent.start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isOpening(byte: number | undefined): boolean {
  return byte === OPENING_BRACE || byte === OPENING_BRACKET;
}

function isClosing(byte: number | undefined): boolean {
  return byte === 0x7d || byte === CLOSING_BRACKET;
}

function isEndOfScalar(byte: number | undefined): boolean {
  return byte === COMMA || isClosing(byte) || isSpace(byte);
}

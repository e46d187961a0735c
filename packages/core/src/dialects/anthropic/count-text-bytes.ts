const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** UTF-8 bytes of the text in a JSON string literal; `at` is one past its opening quote. Never reads beyond `end`. */
export function countTextBytes(bytes: Uint8Array, at: number, end: number): number {
  let count = 0;
  while (at < end) {
    const byte = bytes[at];
    if (byte === QUOTE) break;
    if (byte !== BACKSLASH) {
      at++;
      count++;
    } else if (bytes[at + 1] === LETTER_U) {
      count += utf8Length(bytes, at + 2);
      at += 6;
    } else {
      at += 2;
      count++;
    }
  }
  return count;
}

/** Bytes of the UTF-16 unit written in the four hexadecimal digits at `at`. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const unit = Number.parseInt(String.fromCharCode(...bytes.subarray(at, at + 4)), 16);
  if (unit < 0x80) return 1;
  // Half a surrogate pair is half of four bytes.
  return unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
}

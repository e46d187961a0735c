export const LF = 10;
export const CR = 13;

/** The text with every CR LF and every single CR as one LF: the three line ends that the format allows, made one. */
export function toLineFeeds(text: string): string {
  return text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text;
}

/** Where in `bytes[start, end)` the first CR or LF stands; `end` when there is none. */
export function indexOfLineEnd(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  while (index < end && bytes[index] !== LF && bytes[index] !== CR) index++;
  return index;
}

/** The index after the last CR or LF of `bytes[start, length)`; `start` when there is none. */
export function indexAfterLastLineEnd(bytes: Uint8Array, start: number): number {
  let index = bytes.length;
  while (index > start && bytes[index - 1] !== LF && bytes[index - 1] !== CR) index--;
  return index;
}

const LABEL = ['[sim', 'ulat', 'ed]'];
const WORDS =
  'sun sea day sky owl fox oak ash elm fig bay fog ice dew ray air hut map ink pen cup jar bow bee ant cat dog hen ram ewe'.split(
    ' ',
  );
const MULTIBYTE = ['é', ' ß', '日', '本', '😀', ' ñ', '☃', '€', '🦉', 'ø', '語', '…'];

/**
 * What a simulated model says: `count` token groups, the same ones for the same seed. No group is longer than 4 bytes of
 * UTF-8, so that counting events and counting bytes both give `count`. The first three spell `[simulated]`.
 */
export function simulatedTokens(count: number, seed: number, multibyte = false): string[] {
  const random = createRandom(seed);
  const tokens = LABEL.slice(0, count);
  while (tokens.length < count) tokens.push(multibyte ? pick(MULTIBYTE, random) : ` ${pick(WORDS, random)}`);
  return tokens;
}

/** The answer to "Count from 1 to 10": the label and one token group per number. Numbers end at 99 to stay within 4 bytes. */
export function countingTokens(from: number, to: number): string[] {
  const tokens = [...LABEL];
  for (let number = from; number <= Math.min(to, 99); number++) tokens.push(` ${number}${number === to ? '.' : ','}`);
  return tokens;
}

/** The value's JSON in groups of at most 4 bytes; what is not ASCII is escaped. */
export function jsonTokens(value: unknown): string[] {
  const json = JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return json.match(/.{1,4}/gs) ?? [];
}

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick(from: readonly string[], random: () => number): string {
  return from[Math.floor(random() * from.length)] ?? '';
}

import {
  elementsOf,
  findMember,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
  skipSpace,
  type Extent,
} from '../../json/scan-json.ts';

/** What stands between a reasoning and its copy. */
export const COPY_NAME = new TextEncoder().encode(',"reasoning_content":');

/**
 * Where in the JSON of an answer or a chunk the reasonings stand, as literals with their quotes, that are called `reasoning`
 * and have no `reasoning_content` beside them. `member`: where a choice holds its message.
 */
export function findReasonings(json: Uint8Array, member: 'message' | 'delta'): Extent[] {
  const choices = findMember(json, skipSpace(json, 0), 'choices');
  if (choices === undefined || json[choices.valueStart] !== OPENING_BRACKET) return [];
  const found: Extent[] = [];
  for (const choice of elementsOf(json, choices.valueStart)) {
    const message = json[choice] === OPENING_BRACE ? findMember(json, choice, member)?.valueStart : undefined;
    if (message === undefined || json[message] !== OPENING_BRACE) continue;
    const reasoning = findMember(json, message, 'reasoning');
    if (reasoning === undefined || json[reasoning.valueStart] !== QUOTE) continue;
    if (findMember(json, message, 'reasoning_content') !== undefined) continue;
    found.push({ start: reasoning.valueStart, end: reasoning.end });
  }
  return found;
}

/** The JSON with a copy of each of these reasonings behind it, as `reasoning_content`. */
export function repeatReasonings(json: Uint8Array, reasonings: readonly Extent[]): Uint8Array {
  const added = reasonings.reduce((length, { start, end }) => length + COPY_NAME.length + end - start, 0);
  const repeated = new Uint8Array(json.length + added);
  let length = 0;
  const put = (piece: Uint8Array): void => {
    repeated.set(piece, length);
    length += piece.length;
  };
  let from = 0;
  for (const { start, end } of reasonings) {
    put(json.subarray(from, end));
    put(COPY_NAME);
    from = start;
  }
  put(json.subarray(from));
  return repeated;
}

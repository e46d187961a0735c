import { COPY_NAME } from './repeat-reasoning.ts';
import { COLON, endOfString, isText, QUOTE, skipSpace, type Extent } from '../../json/scan-json.ts';

const BACKSLASH = 0x5c;
const NO_BYTES = new Uint8Array();
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** Members whose strings are output of the model. */
const TEXT_MEMBERS = ['content', 'reasoning_content', 'reasoning', 'text', 'arguments', 'refusal'];
/** Members that differ from event to event and mean nothing: OpenAI's and Mistral's padding against traffic analysis. */
const PADDING_MEMBERS = ['obfuscation', 'p'];

/**
 * An event that has been parsed and understood, with its texts taken out: an event that is equal to it, byte for byte,
 * but for what stands inside those strings, means the same.
 *
 * The content events of a stream are alike in all but their text, so comparing settles nearly all of them for a tenth of
 * what parsing costs. It cannot be fooled: a text that looks like JSON is inside its string, and whatever else differs
 * does not match and is parsed.
 */
export class EventTemplate {
  /** Bytes of the longest text of the event that matched last. A text may stand twice (Together, OpenRouter) and counts once. */
  textBytes = 0;
  /** Where in the bytes of the event that matched last the cut begins. */
  cutStart = 0;
  /** Length of what is to be taken out of each event of this form; 0 for nothing. */
  readonly cutBytes: number;
  /** One text goes out twice: see {@link COPY_NAME}. */
  readonly repeats: boolean;

  /** The bytes before the first hole. */
  readonly #head: DataView;
  readonly #holes: readonly Hole[];
  /** Where the cut begins when all holes are empty. */
  readonly #cutAt: number;
  /** Where in the bytes of the event that matched last the text stands that goes out twice, quotes included. */
  #repeatedStart = 0;
  #repeatedEnd = 0;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;

  /** All extents are of the event; its data is JSON. `repeated`: the literal, quotes included, that goes out twice. */
  constructor(
    event: Uint8Array,
    { data, cut, repeated }: { data: Extent; cut: Extent; repeated?: Extent | undefined },
  ) {
    const { buffer } = new Uint8Array(event); // A copy, since the bytes of a stream do not stay.
    const strings = findStrings(event, data);
    this.#head = new DataView(buffer, 0, strings[0]?.start ?? event.length);
    this.cutBytes = cut.end - cut.start;
    this.repeats = repeated !== undefined;
    let cutAt = cut.start;
    this.#holes = strings.map((string, i) => {
      const { start, end } = string;
      const isBeforeCut = end <= cut.start;
      if (isBeforeCut) cutAt -= end - start;
      const after = new DataView(buffer, end, (strings[i + 1]?.start ?? event.length) - end);
      return { isOutput: string.isOutput, isBeforeCut, isRepeated: start - 1 === repeated?.start, after };
    });
    this.#cutAt = cutAt;
  }

  /**
   * Where the event that begins at `start` ends, when it is of this form; -1 when it is of another or not whole. Nobody
   * need have looked for its end: no line ends in a hole, so it ends where the form does.
   */
  match(bytes: Uint8Array, start: number): number {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    if (!startsWith(view, start, this.#head)) return -1;
    let at = start + this.#head.byteLength;
    let textBytes = 0;
    let cutStart = start + this.#cutAt;
    for (const { isOutput, isBeforeCut, isRepeated, after } of this.#holes) {
      const holeStart = at;
      for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
        // A control character is not valid inside a string, and a line feed would make it two lines.
        if (byte === undefined || byte < 0x20) return -1;
        if (byte === BACKSLASH) at++;
      }
      const holeBytes = at - holeStart;
      if (isOutput && holeBytes > textBytes) textBytes = holeBytes;
      if (isBeforeCut) cutStart += holeBytes;
      if (isRepeated) {
        this.#repeatedStart = holeStart - 1;
        this.#repeatedEnd = at + 1;
      }
      if (!startsWith(view, at, after)) return -1;
      at += after.byteLength;
    }
    this.textBytes = textBytes;
    this.cutStart = cutStart;
    return at;
  }

  /** By how many bytes the event that matched last is longer when it goes out. */
  get growth(): number {
    return (this.repeats ? COPY_NAME.length + this.#repeatedEnd - this.#repeatedStart : 0) - this.cutBytes;
  }

  /** Writes the event that matched last, `bytes[start, end)`, to the begin of `output` as it goes out; gives its length there. */
  write(bytes: Uint8Array, { start, end }: Extent, output: Uint8Array): number {
    const { cutStart, cutBytes } = this;
    output.set(bytes.subarray(start, cutStart));
    output.set(bytes.subarray(cutStart + cutBytes, end), cutStart - start);
    if (this.repeats) {
      const literal = bytes.subarray(this.#repeatedStart, this.#repeatedEnd);
      const at = this.#repeatedEnd - start - (cutStart < this.#repeatedStart ? cutBytes : 0);
      output.copyWithin(at + COPY_NAME.length + literal.length, at, end - start - cutBytes);
      output.set(COPY_NAME, at);
      output.set(literal, at + COPY_NAME.length);
    }
    return end - start + this.growth;
  }
}

/** A string that may differ. */
interface Hole {
  /** Output of the model, not padding. */
  readonly isOutput: boolean;
  readonly isBeforeCut: boolean;
  readonly isRepeated: boolean;
  /** The bytes between it and the next hole or the end, the closing quote first. */
  readonly after: DataView;
}

/**
 * True when `wanted` stands in the bytes at `at`. Eight bytes are compared as one number, in a third of the time of one by
 * one. Two such numbers are never equal for bytes that differ, but for eight zero bytes, which no JSON has; some (NaN) are
 * not even equal to themselves, and their event is parsed.
 */
function startsWith(bytes: DataView, at: number, wanted: DataView): boolean {
  const length = wanted.byteLength;
  if (at + length > bytes.byteLength) return false;
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    if (bytes.getFloat64(at + i, true) !== wanted.getFloat64(i, true)) return false;
    if (bytes.getFloat64(at + i + 8, true) !== wanted.getFloat64(i + 8, true)) return false;
  }
  for (; i + 4 <= length; i += 4) if (bytes.getInt32(at + i, true) !== wanted.getInt32(i, true)) return false;
  for (; i < length; i++) if (bytes.getUint8(at + i) !== wanted.getUint8(i)) return false;
  return true;
}

/** The contents of the strings that may differ, without their quotes. */
function findStrings(event: Uint8Array, data: Extent): (Extent & { isOutput: boolean })[] {
  const strings: (Extent & { isOutput: boolean })[] = [];
  let kind: 'text' | 'padding' | 'fixed' = 'fixed';
  for (let at = data.start; at < data.end; at++) {
    if (event[at] !== QUOTE) continue;
    const after = endOfString(event, at);
    const content = { start: at + 1, end: after - 1 };
    if (event[skipSpace(event, after)] === COLON) {
      kind = kindOf(event, content);
    } else if (kind !== 'fixed') {
      strings.push({ ...content, isOutput: kind === 'text' });
      kind = 'fixed';
    }
    at = after - 1;
  }
  return strings;
}

function kindOf(event: Uint8Array, key: Extent): 'text' | 'padding' | 'fixed' {
  for (const name of TEXT_MEMBERS) if (isText(event, key, name)) return 'text';
  for (const name of PADDING_MEMBERS) if (isText(event, key, name)) return 'padding';
  return 'fixed';
}

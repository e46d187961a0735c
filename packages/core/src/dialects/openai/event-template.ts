import { COLON, endOfString, isText, QUOTE, skipSpace, type Extent } from '../../json/scan-json.ts';

const BACKSLASH = 0x5c;
const NO_BYTES = new Uint8Array();

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

  /** The event without the contents of its holes. */
  readonly #skeleton: Uint8Array;
  readonly #skeletonView: DataView;
  /** Where in the skeleton the strings belong that may differ, in order. */
  readonly #holes: readonly Hole[];
  readonly #cutAt: number;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = new DataView(NO_BYTES.buffer);

  /** `data` and `cut` are extents of the event; its data is JSON. */
  constructor(event: Uint8Array, { data, cut }: { data: Extent; cut: Extent }) {
    const strings = findStrings(event, data);
    const holeBytes = strings.reduce((sum, { start, end }) => sum + end - start, 0);
    const skeleton = new Uint8Array(event.length - holeBytes);
    const holes: Hole[] = [];
    let at = 0;
    let from = 0;
    for (const string of strings) {
      skeleton.set(event.subarray(from, string.start), at);
      at += string.start - from;
      from = string.end;
      holes.push({ at, isText: string.isText });
    }
    skeleton.set(event.subarray(from), at);
    this.#skeleton = skeleton;
    this.#skeletonView = new DataView(skeleton.buffer);
    this.#holes = holes;
    this.cutBytes = cut.end - cut.start;
    const before = strings.filter((string) => string.end <= cut.start);
    this.#cutAt = before.reduce((shifted, { start, end }) => shifted - (end - start), cut.start);
  }

  /** True when the event `bytes[start, end)` is of this form. */
  match(bytes: Uint8Array, start: number, end: number): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    let textBytes = 0;
    let cutStart = start + this.#cutAt;
    let at = start;
    let from = 0;
    for (const hole of this.#holes) {
      const length = hole.at - from;
      if (at + length > end || !this.#isSame(at, from, length)) return false;
      at += length;
      from = hole.at;
      const textStart = at;
      for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
        // A control character is not valid inside a string, and a line feed would make it two lines.
        if (byte === undefined || byte < 0x20) return false;
        if (byte === BACKSLASH) at++;
      }
      if (hole.isText && at - textStart > textBytes) textBytes = at - textStart;
      if (hole.at <= this.#cutAt) cutStart += at - textStart;
    }
    const rest = this.#skeleton.length - from;
    if (end - at !== rest || !this.#isSame(at, from, rest)) return false;
    this.textBytes = textBytes;
    this.cutStart = cutStart;
    return true;
  }

  /** Compares `length` bytes of the event with the skeleton's: eight at a time, four times as fast as one by one. */
  #isSame(at: number, from: number, length: number): boolean {
    const event = this.#view;
    const skeleton = this.#skeletonView;
    const end = from + length;
    for (; from + 8 <= end; from += 8, at += 8) {
      const first = event.getInt32(at) ^ skeleton.getInt32(from);
      if ((first | (event.getInt32(at + 4) ^ skeleton.getInt32(from + 4))) !== 0) return false;
    }
    for (; from < end; from++, at++) if (event.getUint8(at) !== skeleton.getUint8(from)) return false;
    return true;
  }
}

interface Hole {
  readonly at: number;
  readonly isText: boolean;
}

/** The contents of the strings that may differ, without their quotes. */
function findStrings(event: Uint8Array, data: Extent): (Extent & { isText: boolean })[] {
  const strings: (Extent & { isText: boolean })[] = [];
  let kind: 'text' | 'padding' | 'fixed' = 'fixed';
  for (let at = event.indexOf(QUOTE, data.start); at !== -1 && at < data.end; at = event.indexOf(QUOTE, at)) {
    const after = endOfString(event, at);
    const content = { start: at + 1, end: after - 1 };
    if (event[skipSpace(event, after)] === COLON) {
      kind = kindOf(event, content);
    } else if (kind !== 'fixed') {
      strings.push({ ...content, isText: kind === 'text' });
      kind = 'fixed';
    }
    at = after;
  }
  return strings;
}

function kindOf(event: Uint8Array, key: Extent): 'text' | 'padding' | 'fixed' {
  if (TEXT_MEMBERS.some((name) => isText(event, key, name))) return 'text';
  return PADDING_MEMBERS.some((name) => isText(event, key, name)) ? 'padding' : 'fixed';
}

import type { StreamPart } from '../../chat/stream-part.ts';
import { findClosingQuote, readStringContent } from '../../json/string-literal.ts';

/** Members that hold a delta's text, with a text that is not empty. */
const TEXT_MEMBER = /"(?:content|reasoning_content|reasoning)": ?"(?!")/;
/** Padding against traffic analysis (OpenAI, Mistral), different in each chunk, which nothing reads. */
const PADDING_MEMBER = /"(?:obfuscation|p)": ?"/;
/** What a text and a padding are taken for while it is found out what they mean; no provider sends it. */
const PROBE = 'TokenHub';

type TextDelta = StreamPart & { readonly type: 'text-delta' | 'reasoning-delta' };

/**
 * A chunk that was understood, cut at its text and its padding: a chunk with the same characters around its own two
 * says the same with another text. Comparing takes a tenth of what parsing takes.
 *
 * A text cannot fake anything, since quotes are escaped in it; and that the text is the one the chunk means, not one that
 * stands in a member of the same name elsewhere, is tried out before the template is used.
 */
export class ChunkTemplate {
  readonly #start: string;
  /** From the text's closing quote on; to the padding's opening quote where there is one. */
  readonly #middle: string;
  /** From the padding's closing quote on; `undefined` without padding. */
  readonly #end: string | undefined;
  readonly #part: TextDelta;

  private constructor(cut: CutChunk, part: TextDelta) {
    this.#start = cut.start;
    this.#middle = cut.middle;
    this.#end = cut.end;
    this.#part = part;
  }

  /**
   * The template of chunks like `data`, which is JSON; `undefined` when it says anything but one text, once.
   * `readParts` says what a chunk's data means on its own.
   */
  static of(data: string, readParts: (data: string) => StreamPart[]): ChunkTemplate | undefined {
    const cut = cutChunk(data);
    if (cut === undefined) return undefined;
    const probe = cut.start + PROBE + cut.middle + (cut.end === undefined ? '' : PROBE + cut.end);
    const [part, ...others] = readParts(probe).filter(({ type }) => type !== 'start');
    if (part?.type !== 'text-delta' && part?.type !== 'reasoning-delta') return undefined;
    return part.text === PROBE && others.length === 0 ? new ChunkTemplate(cut, part) : undefined;
  }

  /** What a chunk says; `undefined` when it is of another form, or its text is empty: then it must be parsed. */
  read(data: string): TextDelta | undefined {
    const textStart = this.#start.length;
    // Slices are compared several times as fast as `startsWith` does it.
    if (data.slice(0, textStart) !== this.#start) return undefined;
    const textEnd = findClosingQuote(data, textStart);
    if (textEnd <= textStart || !this.#endsAfter(data, textEnd)) return undefined;
    const text = readStringContent(data, textStart, textEnd);
    return text === undefined ? undefined : { type: this.#part.type, choice: this.#part.choice, text };
  }

  #endsAfter(data: string, textEnd: number): boolean {
    if (this.#end === undefined) return data.slice(textEnd) === this.#middle;
    const paddingStart = textEnd + this.#middle.length;
    if (data.slice(textEnd, paddingStart) !== this.#middle) return false;
    const paddingEnd = findClosingQuote(data, paddingStart);
    // An escape could be a wrong one, which makes the whole chunk wrong.
    return (
      paddingEnd !== -1 && data.slice(paddingEnd) === this.#end && !data.slice(paddingStart, paddingEnd).includes('\\')
    );
  }
}

interface CutChunk {
  readonly start: string;
  readonly middle: string;
  readonly end: string | undefined;
}

function cutChunk(data: string): CutChunk | undefined {
  const member = TEXT_MEMBER.exec(data);
  if (member === null) return undefined;
  const textStart = member.index + member[0].length;
  const textEnd = findClosingQuote(data, textStart);
  if (textEnd === -1) return undefined;
  const start = data.slice(0, textStart);
  const rest = data.slice(textEnd);
  // Some send the text twice: the next chunk would differ in two places.
  if (rest.includes(`"${data.slice(textStart, textEnd)}"`)) return undefined;
  const padding = PADDING_MEMBER.exec(rest);
  if (padding === null) return { start, middle: rest, end: undefined };
  const paddingStart = padding.index + padding[0].length;
  const paddingEnd = findClosingQuote(rest, paddingStart);
  return paddingEnd === -1 ? undefined : { start, middle: rest.slice(0, paddingStart), end: rest.slice(paddingEnd) };
}

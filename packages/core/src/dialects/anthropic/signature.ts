import type { ReasoningFormat } from '../../chat/chat-request.ts';

/**
 * Anthropic's blocks have a place for a signature or encrypted data, but not for whose they are. Those of another provider
 * are marked, so that they can go back to it and never go to Anthropic, which refuses what it has not signed.
 */
const MARKS: ReadonlyMap<ReasoningFormat, string> = new Map([['openai', 'tokenhub.openai.']]);

interface Origin {
  readonly format?: ReasoningFormat | undefined;
  readonly id?: string | undefined;
}

/** A signature with the mark of its origin, if it is not Anthropic's own. */
export function markOrigin(text: string, { format, id = '' }: Origin): string {
  const mark = format && MARKS.get(format);
  return mark === undefined ? text : `${mark}${id}.${text}`;
}

/** What {@link markOrigin} has made. */
export function readOrigin(marked: string): Origin & { readonly text: string } {
  for (const [format, mark] of MARKS) {
    if (!marked.startsWith(mark)) continue;
    const idEnd = marked.indexOf('.', mark.length);
    const id = marked.slice(mark.length, idEnd);
    return { format, ...(id !== '' && { id }), text: marked.slice(idEnd + 1) };
  }
  return { text: marked };
}

export function readSignature(marked: string): Origin & { readonly signature: string } {
  const { text, ...origin } = readOrigin(marked);
  return { signature: text, ...origin };
}

export function readData(marked: string): Origin & { readonly data: string } {
  const { text, ...origin } = readOrigin(marked);
  return { data: text, ...origin };
}

/** True for a signature or data that a provider other than Anthropic has made. */
export function isForeign(marked: unknown): boolean {
  return typeof marked === 'string' && marked.startsWith('tokenhub.');
}

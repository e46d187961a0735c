import type { ReasoningOrigin } from '../../chat/stream-part.ts';

/**
 * Anthropic's blocks have a place for a signature or encrypted data, but not for whose they are. Those of another provider
 * are marked with its format and their name, so that they can go back to it and never go to Anthropic, which refuses what
 * it has not signed.
 */
const MARK = /^tokenhub\.([^.]*)\.([^.]*)\.(.*)$/s;

/** A signature with the mark of its origin, if it is not Anthropic's own. */
export function markOrigin(text: string, { format, id = '' }: ReasoningOrigin): string {
  return format === undefined ? text : `tokenhub.${escapeDots(format)}.${escapeDots(id)}.${text}`;
}

/** What {@link markOrigin} has made. */
function readOrigin(marked: string): ReasoningOrigin & { readonly text: string } {
  const [, format, id, text] = MARK.exec(marked) ?? [];
  if (format === undefined || text === undefined) return { text: marked };
  return { format: unescapeDots(format), ...(id && { id: unescapeDots(id) }), text };
}

/** A part of a mark, whose borders are dots. */
function escapeDots(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('.', '%2E');
}

function unescapeDots(text: string): string {
  return text.replaceAll('%2E', '.').replaceAll('%25', '%');
}

export function readSignature(marked: string): ReasoningOrigin & { readonly signature: string } {
  const { text, ...origin } = readOrigin(marked);
  return { signature: text, ...origin };
}

export function readData(marked: string): ReasoningOrigin & { readonly data: string } {
  const { text, ...origin } = readOrigin(marked);
  return { data: text, ...origin };
}

/** True for a signature or data that a provider other than Anthropic has made. */
export function isForeign(marked: unknown): boolean {
  return typeof marked === 'string' && marked.startsWith('tokenhub.');
}

import type { ContentPart, ReasoningFormat } from '../../chat/chat-request.ts';
import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';

/** Between the parts of a summary. */
export const PART_BORDER = '\n\n';

/**
 * What a reasoning item's `encrypted_content` begins with when it is not OpenAI's own: a signature of Anthropic's, or
 * reasoning that Anthropic has encrypted. Both come back with the next request and go to Anthropic alone.
 */
const SIGNATURE = 'tokenhub.anthropic.signature.';
const REDACTED = 'tokenhub.anthropic.redacted.';

type Reasoning = ContentPart & { readonly type: 'reasoning' | 'redacted-reasoning' };

/** The encrypted content that stands for a signature or for encrypted reasoning. */
export function toEncryptedContent(kind: 'signature' | 'redacted', text: string, format?: ReasoningFormat): string {
  if (format === 'openai') return text;
  return (kind === 'signature' ? SIGNATURE : REDACTED) + text;
}

/** True for encrypted content that OpenAI has not made. */
export function isForeign(encrypted: JsonValue | undefined): boolean {
  return typeof encrypted === 'string' && encrypted.startsWith('tokenhub.');
}

/** What encrypted content stands for; it may have a text in clear beside it. */
export function readEncrypted(
  encrypted: string,
  hasText: boolean,
): { readonly kind: 'signature' | 'redacted'; readonly text: string; readonly format?: ReasoningFormat } {
  if (encrypted.startsWith(SIGNATURE)) return { kind: 'signature', text: encrypted.slice(SIGNATURE.length) };
  if (encrypted.startsWith(REDACTED)) return { kind: 'redacted', text: encrypted.slice(REDACTED.length) };
  return { kind: hasText ? 'signature' : 'redacted', text: encrypted, format: 'openai' };
}

/** The reasoning of an earlier turn. */
export function readReasoningItem(item: JsonObject, path: string, reading: RequestReading): Reasoning {
  const { id, encrypted_content: encrypted } = item;
  const text = textOf(item);
  const origin = typeof id === 'string' ? { id } : {};
  if (!isGiven(encrypted) || encrypted === '') return { type: 'reasoning', text, ...origin };
  const read = readEncrypted(reading.text(encrypted, `${path}.encrypted_content`), text !== '');
  // Anthropic's blocks have no names.
  const about = read.format === undefined ? {} : { format: read.format, ...origin };
  return read.kind === 'signature'
    ? { type: 'reasoning', text, signature: read.text, ...about }
    : { type: 'redacted-reasoning', data: read.text, ...about };
}

/** All that is in clear: the summary, or the reasoning itself where a model shows it. */
export function textOf({ summary, content }: JsonObject): string {
  const texts = [...listOr(content), ...listOr(summary)].map((part) => {
    const text = isJsonObject(part) ? part['text'] : undefined;
    return typeof text === 'string' ? text : '';
  });
  return texts.filter((text) => text !== '').join(PART_BORDER);
}

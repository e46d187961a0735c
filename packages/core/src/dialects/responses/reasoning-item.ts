import type { ContentPart, ReasoningFormat } from '../../chat/chat-request.ts';
import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';
import { readOwnRest } from './read-rest.ts';

/** Between the parts of a summary. */
export const PART_BORDER = '\n\n';

/**
 * What a reasoning item's `encrypted_content` is when it is not OpenAI's own: another's signature, or reasoning that another
 * has encrypted, with the name of its format. It comes back with the next request and goes to its own provider alone.
 */
const MARK = /^tokenhub\.(.*?)\.(signature|redacted)\.(.*)$/s;
const ANTHROPIC = 'anthropic';

/** What our own writer calls an item whose provider's name for it is not known. */
const OWN_NAME = /^rs_.+_\d+$/;

type Reasoning = ContentPart & { readonly type: 'reasoning' | 'redacted-reasoning' };

/** The encrypted content that stands for a signature or for encrypted reasoning. */
export function toEncryptedContent(
  kind: 'signature' | 'redacted',
  text: string,
  format: ReasoningFormat = ANTHROPIC,
): string {
  return format === 'openai' ? text : `tokenhub.${format}.${kind}.${text}`;
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
  const [, format, kind, text = ''] = MARK.exec(encrypted) ?? [];
  if (format === undefined) return { kind: hasText ? 'signature' : 'redacted', text: encrypted, format: 'openai' };
  return { kind: kind === 'signature' ? kind : 'redacted', text, ...(format !== ANTHROPIC && { format }) };
}

/** What its provider calls an item. Under any other name OpenAI refuses what is encrypted, without one it takes it. */
export function nameOf({ id }: JsonObject): { readonly id?: string } {
  return typeof id === 'string' && !OWN_NAME.test(id) ? { id } : {};
}

/** The reasoning of an earlier turn. */
export function readReasoningItem(item: JsonObject, path: string, reading: RequestReading): Reasoning {
  const { encrypted_content: encrypted, summary: _, content: __, ...rest } = item;
  readOwnRest(rest, path, reading);
  const text = textOf(item);
  const origin = nameOf(item);
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

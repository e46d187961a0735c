import type { MediaSource } from '../chat/chat-request.ts';

const DATA_URL = /^data:([^;,]+)(?:;[^;,]+)*;base64,/i;
/** A document without a type of its own. */
const PDF = 'application/pdf';
/** Longest beginning of a URL that is looked at. */
const HEAD_LENGTH = 256;

/** What a URL stands for: itself, or the bytes in it. `undefined` for one of another form, such as a data URL without base64. */
export function mediaSourceOf(url: string): MediaSource | undefined {
  const head = DATA_URL.exec(url.slice(0, HEAD_LENGTH));
  if (head !== null) return { type: 'base64', mediaType: head[1] ?? PDF, data: url.slice(head[0].length) };
  if (/^https?:\/\//i.test(url)) return { type: 'url', url };
  // OpenAI takes the plain base64 of a PDF as well.
  return url.startsWith('JVBERi') ? { type: 'base64', mediaType: PDF, data: url } : undefined;
}

/** The URL of an image or document, its bytes in it where they are not at an address. */
export function toUrl(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';

type Citation = StreamPart & { readonly type: 'citation' };

/**
 * The web pages that a message's `annotations` refer to.
 * Source: https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat
 */
export function readAnnotations(annotations: JsonValue | undefined, choice: number): Citation[] {
  if (!Array.isArray(annotations)) return [];
  return (annotations as readonly JsonValue[]).flatMap((annotation) => {
    // Some leave the inner object out.
    const cited = isJsonObject(annotation) ? (annotation['url_citation'] ?? annotation) : undefined;
    if (!isJsonObject(cited) || typeof cited['url'] !== 'string') return [];
    const { url, title, start_index: start, end_index: end, content } = cited;
    return [
      {
        type: 'citation' as const,
        choice,
        url,
        ...(typeof title === 'string' && { title }),
        // OpenRouter has an extract of the page.
        ...(typeof content === 'string' && { citedText: content }),
        ...(typeof start === 'number' && { start }),
        ...(typeof end === 'number' && { end }),
      },
    ];
  });
}

/** The addresses of pages that some list beside the choices (Perplexity, xAI). */
export function readCitations(citations: JsonValue | undefined): Citation[] {
  if (!Array.isArray(citations)) return [];
  return (citations as readonly JsonValue[])
    .filter((url) => typeof url === 'string')
    .map((url) => ({ type: 'citation', choice: 0, url }));
}

export function writeCitation({ url, title, start, end, citedText }: Citation): JsonObject {
  return {
    type: 'url_citation',
    url_citation: {
      url,
      title: title ?? '',
      start_index: start ?? 0,
      end_index: end ?? 0,
      ...(citedText !== undefined && { content: citedText }),
    },
  };
}

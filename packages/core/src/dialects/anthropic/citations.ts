import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';

export type Citation = StreamPart & { readonly type: 'citation' };

/**
 * The web pages that a text block refers to, as a whole: a part of the text with sources is a block of its own. Places in a caller's own documents have no neutral words: only a caller of
 * this dialect can ask for them, and gets them relayed.
 * Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
 */
export function readCitations(citations: JsonValue | undefined): Citation[] {
  if (!Array.isArray(citations)) return [];
  return (citations as readonly JsonValue[]).flatMap((citation) => {
    if (!isJsonObject(citation) || typeof citation['url'] !== 'string') return [];
    const { url, title, cited_text: citedText } = citation;
    return [
      {
        type: 'citation' as const,
        choice: 0,
        url,
        ...(typeof title === 'string' && { title }),
        ...(typeof citedText === 'string' && { citedText }),
      },
    ];
  });
}

export function writeCitation({ url, title, citedText }: Citation): JsonObject {
  return {
    type: 'web_search_result_location',
    url,
    title: title ?? null,
    cited_text: citedText ?? '',
    encrypted_index: '',
  };
}

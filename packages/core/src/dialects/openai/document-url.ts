import type { JsonObject } from '../../chat/json.ts';
import { withoutUndefined } from '../write-json.ts';

/**
 * A document by its address, or in a data URL, as Mistral takes it.
 * Source: `DocumentURLChunk` of https://github.com/mistralai/client-ts
 */
export function toDocumentUrl(url: string, name: string | undefined): JsonObject {
  return withoutUndefined({ type: 'document_url', document_url: url, document_name: name });
}

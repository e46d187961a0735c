import type { ContentPart, DocumentPart, MediaSource, TextPart } from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import { mediaSourceOf } from '../media-source.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';
import { typeOf } from './wire.ts';

/** Text, pictures and documents: what users, tools and systems say. Other blocks have no neutral words. */
export function readContent(value: JsonValue | undefined, path: string, reading: RequestReading): ContentPart[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  const parts: ContentPart[] = [];
  for (const [i, entry] of reading.list(value, path, 'must be a string or a list of blocks').entries()) {
    const blockPath = `${path}[${i}]`;
    const block = reading.object(entry, blockPath);
    reading.text(block['type'], `${blockPath}.type`);
    const read = readContentBlock(block, blockPath, reading);
    if (read === undefined) reading.lose(blockPath);
    else parts.push(read);
  }
  return parts;
}

/** A list of text blocks, or a text. */
export function readTexts(value: JsonValue | undefined, path: string, reading: RequestReading): TextPart[] {
  return reading.textsOf(readContent(value, path, reading));
}

/** `undefined` for a block of another type, or from a source that only Anthropic knows (an uploaded file). */
export function readContentBlock(block: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  switch (typeOf(block)) {
    case 'text':
      return readText(block, path, reading);
    case 'image':
      return readImage(block, path, reading);
    case 'document':
      return readDocument(block, path, reading);
    default:
      return undefined;
  }
}

function readText(block: JsonObject, path: string, reading: RequestReading): TextPart {
  const { type: _, text, cache_control: mark, citations, ...rest } = block;
  reading.rest(rest, path);
  // What an answer says of its sources; it means nothing to the model.
  reading.hints({ citations }, path);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return { type: 'text', text: reading.text(text, `${path}.text`), ...(cache !== undefined && { cache }) };
}

function readImage(block: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  const { type: _, source, cache_control: mark, ...rest } = block;
  const read = readSource(reading.object(source, `${path}.source`), `${path}.source`, reading);
  if (read === undefined) return undefined;
  reading.rest(rest, path);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return { type: 'image', source: read, ...(cache !== undefined && { cache }), path };
}

function readDocument(block: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  const { type: _, source: given, title, cache_control: mark, citations, ...rest } = block;
  const source = reading.object(given, `${path}.source`);
  const read = typeOf(source) === 'text' ? readTextSource(source, path, reading) : readSource(source, path, reading);
  if (read === undefined) return undefined;
  reading.rest(rest, path);
  // Asked for, they are a part of the answer that nobody else gives.
  if (isGiven(citations) && reading.object(citations, `${path}.citations`)['enabled'] === true) {
    reading.lose(`${path}.citations`);
  }
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return {
    type: 'document',
    source: read,
    ...(isGiven(title) && { name: reading.text(title, `${path}.title`) }),
    ...(cache !== undefined && { cache }),
    path,
  };
}

function readTextSource(source: JsonObject, path: string, reading: RequestReading): DocumentPart['source'] {
  return { type: 'text', text: reading.text(source['data'], `${path}.source.data`) };
}

function readSource(source: JsonObject, path: string, reading: RequestReading): MediaSource | undefined {
  switch (reading.text(source['type'], `${path}.type`)) {
    case 'base64':
      return {
        type: 'base64',
        mediaType: reading.name(source['media_type'], `${path}.media_type`),
        data: reading.name(source['data'], `${path}.data`),
      };
    case 'url':
      return readUrl(reading.name(source['url'], `${path}.url`), `${path}.url`, reading);
    default:
      return undefined;
  }
}

function readUrl(url: string, path: string, reading: RequestReading): MediaSource {
  const source = mediaSourceOf(url);
  if (source === undefined) throw reading.invalid(path, 'must be an address that begins with https:// or http://');
  return source;
}

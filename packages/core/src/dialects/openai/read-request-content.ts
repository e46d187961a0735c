import type { CacheMark, ContentPart, TextPart } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';

/** Content: a string, or a list of parts. Parts without neutral words (speech, uploaded files) are lost. */
export function readContent(content: JsonValue | undefined, path: string, reading: RequestReading): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const parts: ContentPart[] = [];
  for (const [i, part] of reading.list(content, path, 'must be a string or a list of content parts').entries()) {
    const partPath = `${path}[${i}]`;
    if (!isJsonObject(part) || typeof part['type'] !== 'string') {
      throw reading.invalid(partPath, 'must be an object with a type, as in {"type":"text","text":"…"}');
    }
    const read = readPart(part, partPath, reading);
    if (read !== undefined) parts.push(read);
  }
  return parts;
}

/** Content of which only text has neutral words. */
export function readTexts(content: JsonValue | undefined, path: string, reading: RequestReading): TextPart[] {
  return reading.textsOf(readContent(content, path, reading));
}

function readPart(part: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  switch (part['type']) {
    case 'text':
    case 'refusal': {
      const { type, [type]: text, ...rest } = part;
      return { type: 'text', text: reading.text(text, `${path}.${type}`), ...readCaching(rest, path, reading) };
    }
    case 'image_url':
      return readImage(part, path, reading);
    case 'file':
      return readFile(part, path, reading);
    default:
      reading.lose(path);
      return undefined;
  }
}

function readImage(part: JsonObject, path: string, reading: RequestReading): ContentPart {
  const { type: _, image_url: image, ...rest } = part;
  // Mistral takes the address alone.
  const { url, detail, ...others }: JsonObject =
    typeof image === 'string' ? { url: image } : reading.object(image, `${path}.image_url`);
  reading.rest(others, `${path}.image_url`);
  return {
    type: 'image',
    source: reading.mediaSource(url, `${path}.image_url.url`),
    ...(isGiven(detail) && detail !== 'auto' && { detail: reading.text(detail, `${path}.image_url.detail`) }),
    ...readCaching(rest, path, reading),
    path,
  };
}

function readFile(part: JsonObject, path: string, reading: RequestReading): ContentPart | undefined {
  const { type: _, file, ...rest } = part;
  const { file_data: data, filename, ...others } = reading.object(file, `${path}.file`);
  reading.rest(others, `${path}.file`);
  const caching = readCaching(rest, path, reading);
  if (!isGiven(data)) {
    // One that was uploaded to a provider is known to that one only.
    if (!isGiven(others['file_id'])) throw reading.invalid(`${path}.file.file_data`, 'must be a data URL');
    return undefined;
  }
  return {
    type: 'document',
    source: reading.mediaSource(data, `${path}.file.file_data`),
    ...(isGiven(filename) && { name: reading.text(filename, `${path}.file.filename`) }),
    ...caching,
    path,
  };
}

/** What stands beside a part's content: where to cache, in Anthropic's words or, as a hint, in OpenAI's; the rest is lost. */
function readCaching(beside: JsonObject, path: string, reading: RequestReading): { readonly cache?: CacheMark } {
  const { cache_control: mark, prompt_cache_breakpoint: breakpoint, ...rest } = beside;
  reading.rest(rest, path);
  if (isGiven(breakpoint)) reading.hint(`${path}.prompt_cache_breakpoint`);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return cache === undefined ? {} : { cache };
}

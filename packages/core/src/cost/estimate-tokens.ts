import type { ChatRequest, DocumentPart, ImagePart, Tool } from '../chat/chat-request.ts';

/** How many tokens a request's input has, as far as that can be told without a tokenizer. */
export interface InputEstimate {
  /** No more than this: one token per UTF-8 byte, as no tokenizer makes more, and 8 for the frame of each message and tool. */
  readonly bound: number;
  /** The likely count, a token being 4 bytes on average: what models are compared by, and the bill where nobody reports usage. */
  readonly likely: number;
}

const FRAME_TOKENS = 8;
const BYTES_PER_TOKEN = 4;
const encoder = new TextEncoder();
/** Written and never read; most texts fit. */
const scratch = new Uint8Array(16 * 1024);

/** What a picture takes: at most so many tokens with any provider, and about so many as a rule. */
const IMAGE: InputEstimate = { bound: 4_096, likely: 1_000 };
/** What a document takes that is read from an address, so that nothing is known of its length. */
const REMOTE_DOCUMENT: InputEstimate = { bound: 32_768, likely: 8_192 };
/** PDF is compressed, and its pages are looked at as pictures too; about so many bytes in base64 make a token. */
const BASE64_BYTES_PER_TOKEN = 20;

/** Measures messages and tools; what of them has no neutral words by its bytes in the caller's JSON. */
export function estimateInput(request: ChatRequest): InputEstimate {
  const tools = request.tools ?? [];
  let bytes = 0;
  const media = { bound: 0, likely: 0 };
  for (const message of request.messages) {
    for (const part of message.content) {
      if (part.type === 'image' || part.type === 'document') addMedia(media, part);
      else bytes += measureText(part.type === 'redacted-reasoning' ? part.data : part.text);
    }
    if (message.role === 'assistant') {
      for (const call of message.toolCalls) bytes += measureText(call.name) + measureText(call.arguments);
    }
  }
  for (const tool of tools) bytes += measureTool(tool);
  if (request.responseFormat?.type === 'json-schema')
    bytes += measureText(JSON.stringify(request.responseFormat.schema));
  // Messages and tools without neutral words are in the body alone: they are what is left of it.
  if (request.losses.some(({ path, isHint }) => isHint !== true && path.includes('['))) {
    bytes = Math.max(bytes, measureText(JSON.stringify(request.source.body)) - mediaBytes(request));
  }
  return {
    bound: bytes + media.bound + FRAME_TOKENS * (request.messages.length + tools.length),
    likely: Math.ceil(bytes / BYTES_PER_TOKEN) + media.likely,
  };
}

/** Bytes of pictures and documents in base64. */
function mediaBytes({ messages }: ChatRequest): number {
  let bytes = 0;
  for (const { content } of messages) {
    for (const part of content) {
      if ((part.type === 'image' || part.type === 'document') && part.source.type === 'base64') {
        bytes += part.source.data.length;
      }
    }
  }
  return bytes;
}

function addMedia(sum: { bound: number; likely: number }, part: ImagePart | DocumentPart): void {
  const { bound, likely } = part.type === 'image' ? IMAGE : measureDocument(part.source);
  sum.bound += bound;
  sum.likely += likely;
}

function measureDocument(source: DocumentPart['source']): InputEstimate {
  switch (source.type) {
    case 'url':
      return REMOTE_DOCUMENT;
    case 'text': {
      const bytes = measureText(source.text);
      return { bound: bytes, likely: Math.ceil(bytes / BYTES_PER_TOKEN) };
    }
    case 'base64':
      return { bound: source.data.length, likely: Math.ceil(source.data.length / BASE64_BYTES_PER_TOKEN) };
  }
}

function measureTool({ name, description = '', parameters }: Tool): number {
  const schema = parameters === undefined ? '' : JSON.stringify(parameters);
  return measureText(name) + measureText(description) + measureText(schema);
}

/** UTF-8 bytes. Encoding and throwing away is many times faster than counting in a loop for all but the shortest texts. */
function measureText(text: string): number {
  // A unit of UTF-16 has at most three bytes.
  if (text.length * 3 > scratch.length) return encoder.encode(text).length;
  return encoder.encodeInto(text, scratch).written;
}

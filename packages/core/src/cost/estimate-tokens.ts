import type { ChatMessage, ChatRequest, ContentPart, Tool } from '../chat/chat-request.ts';

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

/**
 * Measures the text of messages and tools. Pictures and other parts without neutral words are not counted: their bytes
 * say nothing of their tokens.
 */
export function estimateInput(request: ChatRequest): InputEstimate {
  const tools = request.tools ?? [];
  let bytes = 0;
  for (const message of request.messages) bytes += measureMessage(message);
  for (const tool of tools) bytes += measureTool(tool);
  return {
    bound: bytes + FRAME_TOKENS * (request.messages.length + tools.length),
    likely: Math.ceil(bytes / BYTES_PER_TOKEN),
  };
}

function measureMessage(message: ChatMessage): number {
  let bytes = 0;
  for (const part of message.content) bytes += measureText(textOf(part));
  if (message.role === 'assistant') {
    for (const call of message.toolCalls) bytes += measureText(call.name) + measureText(call.arguments);
  }
  return bytes;
}

function textOf(part: ContentPart): string {
  return part.type === 'redacted-reasoning' ? part.data : part.text;
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

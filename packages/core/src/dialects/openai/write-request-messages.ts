import type {
  CacheMark,
  ChatMessage,
  ContentPart,
  DocumentPart,
  ImagePart,
  ReasoningPart,
  TextPart,
  ToolCall,
} from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import { documentAsText } from '../document-as-text.ts';
import type { Losses } from '../losses.ts';
import { toUrl } from '../media-source.ts';
import type { Quirks } from '../quirks.ts';
import { TOOL_FAILED } from '../tool-failed.ts';
import { withoutUndefined } from '../write-json.ts';
import { toDocumentUrl } from './document-url.ts';
import { writeEncryptedReasoning, writeSignedReasoning } from './reasoning-details.ts';
import { shortenId } from './shorten-id.ts';

const FAILED: TextPart = { type: 'text', text: TOOL_FAILED };

type MediaPart = ImagePart | DocumentPart;

/** Earlier reasoning goes back to those who ask for it, to most of them its text alone; to all others, OpenAI first, it means nothing. */
export function isReasoningTaken(part: ReasoningPart, { reasoningBack }: Quirks): boolean {
  if (reasoningBack === 'reasoning_details') return true;
  return reasoningBack !== undefined && part.type === 'reasoning' && part.text !== '';
}

/** Writes the messages of one request. */
export class MessageWriter {
  readonly #quirks: Quirks;
  readonly #losses: Losses;
  /** Pictures of tool results, which only a user's message may hold; it follows the last result. */
  #held: JsonObject[] = [];

  constructor(quirks: Quirks, losses: Losses) {
    this.#quirks = quirks;
    this.#losses = losses;
  }

  writeAll(messages: readonly ChatMessage[]): JsonObject[] {
    const written: JsonObject[] = [];
    for (const message of messages) {
      if (message.role !== 'tool') written.push(...this.#takeHeld());
      written.push(...this.#write(message));
    }
    written.push(...this.#takeHeld());
    return written;
  }

  #takeHeld(): JsonObject[] {
    if (this.#held.length === 0) return [];
    const content = this.#held;
    this.#held = [];
    return [{ role: 'user', content }];
  }

  #write(message: ChatMessage): JsonObject[] {
    switch (message.role) {
      case 'system':
      case 'user':
        return [{ role: message.role, content: this.#writeContent(message.content) }];
      case 'assistant':
        return this.#writeAssistant(message.content, message.toolCalls);
      case 'tool':
        return [this.#writeResult(message)];
    }
  }

  #writeResult({ toolCallId, content, isError }: ChatMessage & { readonly role: 'tool' }): JsonObject {
    const media: MediaPart[] = content.filter((part) => part.type === 'image' || part.type === 'document');
    if (media.length > 0) {
      this.#held.push({ type: 'text', text: `Part of the result of the tool call ${toolCallId}:` });
      this.#held.push(...media.flatMap((part) => this.#writePart(part)));
    }
    const texts = content.filter((part) => part.type === 'text');
    const said = isError === true ? [FAILED, ...texts] : texts;
    return { role: 'tool', tool_call_id: this.#toId(toolCallId), content: this.#writeContent(said) };
  }

  #writeAssistant(content: readonly ContentPart[], calls: readonly ToolCall[]): JsonObject[] {
    const texts = content.filter((part) => part.type === 'text');
    const toolCalls = calls.map(({ id, name, arguments: text, cache }) => {
      this.#losses.addMark(cache);
      return { id: this.#toId(id), type: 'function', function: { name, arguments: text } };
    });
    const reasoning = this.#writeReasoning(content);
    if (texts.length === 0 && toolCalls.length === 0 && reasoning === undefined) return [];
    return [
      {
        role: 'assistant',
        content: texts.length === 0 ? null : this.#writeContent(texts),
        ...reasoning,
        ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
      },
    ];
  }

  #writeReasoning(content: readonly ContentPart[]): JsonObject | undefined {
    const { reasoningBack } = this.#quirks;
    const thoughts = content
      .filter((part) => part.type === 'reasoning' || part.type === 'redacted-reasoning')
      .filter((part) => isReasoningTaken(part, this.#quirks));
    if (reasoningBack === undefined || thoughts.length === 0) return undefined;
    if (reasoningBack === 'reasoning_details') {
      const details = thoughts.map((part, index) =>
        part.type === 'redacted-reasoning'
          ? writeEncryptedReasoning(part, index)
          : writeSignedReasoning({ ...part, signature: part.signature ?? '' }, index),
      );
      return { reasoning_details: details };
    }
    return { [reasoningBack]: thoughts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('') };
  }

  /** A single text goes out as a string, which is the form that every server takes. */
  #writeContent(parts: readonly ContentPart[]): JsonValue {
    const written = parts.flatMap((part) => this.#writePart(part));
    const [first, ...others] = written;
    if (first === undefined) return '';
    const isPlain = others.length === 0 && first['type'] === 'text' && first['cache_control'] === undefined;
    return isPlain ? (first['text'] ?? '') : written;
  }

  #writePart(part: ContentPart): JsonObject[] {
    switch (part.type) {
      case 'text':
        return [this.#mark({ type: 'text', text: part.text }, part.cache)];
      case 'image': {
        const url = { url: toUrl(part.source), ...(part.detail !== undefined && { detail: part.detail }) };
        return [this.#mark({ type: 'image_url', image_url: url }, part.cache)];
      }
      case 'document':
        return this.#writeDocument(part);
      case 'reasoning':
      case 'redacted-reasoning':
        return [];
    }
  }

  #writeDocument(part: DocumentPart): JsonObject[] {
    const { source, name = 'document.pdf', cache, path } = part;
    if (source.type !== 'text' && this.#quirks.documentUrl === true) {
      return [this.#mark(toDocumentUrl(toUrl(source), part.name), cache)];
    }
    switch (source.type) {
      case 'text':
        return [this.#mark({ type: 'text', text: documentAsText(source.text, part.name) }, cache)];
      case 'base64':
        return [this.#mark({ type: 'file', file: { filename: name, file_data: toUrl(source) } }, cache)];
      case 'url':
        this.#losses.add(path, 'must hold the document itself for the provider of this model, not an address');
        return [];
    }
  }

  #mark(part: JsonObject, cache: CacheMark | undefined): JsonObject {
    if (cache === undefined) return part;
    if (this.#quirks.cacheControl === true) {
      return { ...part, cache_control: withoutUndefined({ type: 'ephemeral', ttl: cache.ttl }) };
    }
    this.#losses.addMark(cache);
    return part;
  }

  #toId(id: string): string {
    return this.#quirks.shortToolCallIds === true ? shortenId(id) : id;
  }
}

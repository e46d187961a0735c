import type { JsonObject, JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { toEncryptedContent } from './reasoning-item.ts';

/** An event of an item, without its sequence number and the item's place. */
export type ItemEvent = JsonObject & { readonly type: string };
type Status = 'in_progress' | 'completed' | 'incomplete';
type Proof = StreamPart & { readonly type: 'reasoning-signature' | 'redacted-reasoning' };

/** How the deltas of what is open begin: their type, and the members that say where they belong. */
interface DeltaHead {
  readonly type: string;
  readonly place: string;
}

/** An item of a response's output while it is written. */
export interface OutputItem {
  readonly id: string;
  /** In the output, from 0. */
  readonly place: number;
  /** `incomplete`: the answer was cut off in it. */
  status: Status;
  toJson(): JsonObject;
  /** The events that close it, but for the last one; its status is set. */
  closing(): readonly ItemEvent[];
}

interface MessagePart {
  readonly type: 'output_text' | 'refusal';
  text: string;
  readonly annotations: JsonObject[];
  readonly logprobs: JsonValue[];
}

/** What the model says. */
export class MessageItem implements OutputItem {
  static readonly prefix = 'msg';
  readonly id: string;
  readonly place: number;
  status: Status = 'in_progress';
  readonly #parts: MessagePart[] = [];
  #deltaHead: DeltaHead = { type: '', place: '' };

  constructor(id: string, place: number) {
    this.id = id;
    this.place = place;
  }

  get deltaHead(): DeltaHead {
    return this.#deltaHead;
  }

  /** The events before text of this type: none where its part is open. */
  openPart(type: MessagePart['type']): ItemEvent[] {
    if (this.#parts.at(-1)?.type === type) return [];
    const closed = this.closing();
    const part: MessagePart = { type, text: '', annotations: [], logprobs: [] };
    const index = this.#parts.push(part) - 1;
    this.#deltaHead = {
      type: `response.${type}.delta`,
      place: `"item_id":${JSON.stringify(this.id)},"output_index":${this.place},"content_index":${index}`,
    };
    return [...closed, { type: 'response.content_part.added', content_index: index, part: toPart(part) }];
  }

  addText(text: string, logprobs: readonly JsonValue[]): void {
    const part = this.#parts.at(-1);
    if (part === undefined) return;
    part.text += text;
    part.logprobs.push(...logprobs);
  }

  addCitation({ url, title, start, end }: StreamPart & { readonly type: 'citation' }): ItemEvent {
    const annotation = { type: 'url_citation', url, title: title ?? '', start_index: start ?? 0, end_index: end ?? 0 };
    const annotations = this.#parts.at(-1)?.annotations ?? [];
    annotations.push(annotation);
    return {
      type: 'response.output_text.annotation.added',
      content_index: this.#parts.length - 1,
      annotation_index: annotations.length - 1,
      annotation,
    };
  }

  closing(): ItemEvent[] {
    const part = this.#parts.at(-1);
    if (part === undefined) return [];
    const index = this.#parts.length - 1;
    const { type, text, logprobs } = part;
    const done: ItemEvent =
      type === 'refusal'
        ? { type: 'response.refusal.done', content_index: index, refusal: text }
        : { type: 'response.output_text.done', content_index: index, text, logprobs };
    return [done, { type: 'response.content_part.done', content_index: index, part: toPart(part) }];
  }

  toJson(): JsonObject {
    return { id: this.id, type: 'message', status: this.status, role: 'assistant', content: this.#parts.map(toPart) };
  }
}

function toPart({ type, text, annotations, logprobs }: MessagePart): JsonObject {
  return type === 'refusal' ? { type, refusal: text } : { type, text, annotations: [...annotations], logprobs };
}

/** What the model has thought, in clear as a summary, and its provider's proof of it. */
export class ReasoningItem implements OutputItem {
  static readonly prefix = 'rs';
  readonly id: string;
  readonly place: number;
  status: Status = 'in_progress';
  #text: string | undefined;
  #encrypted: string | undefined;
  readonly deltaHead: DeltaHead;

  constructor(id: string, place: number) {
    this.id = id;
    this.place = place;
    this.deltaHead = {
      type: 'response.reasoning_summary_text.delta',
      place: `"item_id":${JSON.stringify(id)},"output_index":${place},"summary_index":0`,
    };
  }

  openPart(): ItemEvent[] {
    if (this.#text !== undefined) return [];
    this.#text = '';
    const part = { type: 'summary_text', text: '' };
    return [{ type: 'response.reasoning_summary_part.added', summary_index: 0, part }];
  }

  addText(text: string): void {
    this.#text = (this.#text ?? '') + text;
  }

  prove(part: Proof): void {
    this.#encrypted =
      part.type === 'reasoning-signature'
        ? toEncryptedContent('signature', part.signature, part.format)
        : toEncryptedContent('redacted', part.data, part.format);
  }

  closing(): ItemEvent[] {
    if (this.#text === undefined) return [];
    const part = { type: 'summary_text', text: this.#text };
    return [
      { type: 'response.reasoning_summary_text.done', summary_index: 0, text: this.#text },
      { type: 'response.reasoning_summary_part.done', summary_index: 0, part },
    ];
  }

  toJson(): JsonObject {
    const summary = this.#text === undefined ? [] : [{ type: 'summary_text', text: this.#text }];
    const proof = this.#encrypted === undefined ? {} : { encrypted_content: this.#encrypted };
    return { id: this.id, type: 'reasoning', summary, ...proof };
  }
}

/** A call of one of the caller's functions. */
export class CallItem implements OutputItem {
  readonly id: string;
  readonly place: number;
  status: Status = 'in_progress';
  readonly #call: { readonly callId: string; readonly name: string };
  #arguments = '';
  readonly deltaHead: DeltaHead;

  constructor(id: string, place: number, call: { readonly callId: string; readonly name: string }) {
    this.id = id;
    this.place = place;
    this.#call = call;
    this.deltaHead = {
      type: 'response.function_call_arguments.delta',
      place: `"item_id":${JSON.stringify(id)},"output_index":${place}`,
    };
  }

  addArguments(text: string): void {
    this.#arguments += text;
  }

  closing(): ItemEvent[] {
    const empty = this.#completeArguments();
    return [
      ...empty,
      { type: 'response.function_call_arguments.done', name: this.#call.name, arguments: this.#arguments },
    ];
  }

  /** Chat providers send no text for a function without parameters; OpenAI's responses have an object that is empty. */
  #completeArguments(): ItemEvent[] {
    if (this.#arguments !== '' || this.status === 'incomplete') return [];
    this.#arguments = '{}';
    return [{ type: this.deltaHead.type, delta: this.#arguments }];
  }

  toJson(): JsonObject {
    const { callId, name } = this.#call;
    return {
      id: this.id,
      type: 'function_call',
      status: this.status,
      arguments: this.#arguments,
      call_id: callId,
      name,
    };
  }
}

import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { Receipt } from '../../cost/receipt.ts';
import type { GatewayError } from '../../errors.ts';
import { quoteText } from '../../json/quote-text.ts';
import type { AnswerIdentity, StreamWriter } from '../dialect.ts';
import { writeError } from '../openai-errors/write-error.ts';
import { writeIncomplete } from './finish-reason.ts';
import { CallItem, MessageItem, ReasoningItem, type ItemEvent, type OutputItem } from './output-items.ts';
import { writeResponse } from './write-response.ts';

/** What ends a stream whose provider sent no end. */
export const TERMINATOR = 'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n';

/** Turns parts into the events of a response's stream. */
export function createStreamWriter(identity: AnswerIdentity): StreamWriter {
  return new ResponsesStreamWriter(identity);
}

/** A complete response: what a stream of it ends with. */
export function writeAnswer(parts: readonly StreamPart[], identity: AnswerIdentity, receipt: Receipt): string {
  const writer = new ResponsesStreamWriter(identity);
  for (const part of parts) writer.write(part);
  writer.closeAll();
  return writer.response(receipt);
}

/** The last event of a stream that failed: the members of OpenAI's own, and the error as it is everywhere else. */
export function writeStreamError(error: GatewayError, requestId: string, sequence = 0): string {
  const { error: body } = writeError(error, requestId);
  const event = { type: 'error', sequence_number: sequence, code: error.code, message: error.message, param: null };
  return `event: error\ndata: ${JSON.stringify({ ...event, error: { ...(isJsonObject(body) && body), code: error.code } })}\n\n`;
}

type ToolCallDelta = StreamPart & { readonly type: 'tool-call-delta' };

/**
 * Items come one after the other; only function calls may be open side by side. All that was written is kept, since the
 * last event repeats it.
 */
class ResponsesStreamWriter implements StreamWriter {
  sequence = 0;
  readonly #identity: AnswerIdentity;
  readonly #items: OutputItem[] = [];
  readonly #open = new Set<OutputItem>();
  readonly #calls = new Map<number, CallItem>();
  #isStarted = false;
  #finish: FinishReason | undefined;
  /** Log probabilities that wait for their text. */
  #logprobs: readonly JsonValue[] = [];

  constructor(identity: AnswerIdentity) {
    this.#identity = identity;
  }

  write(part: StreamPart): string {
    const start = this.#start();
    return start + this.#writePart(part);
  }

  end(receipt: Receipt): string {
    const events = this.#start() + this.closeAll();
    const type = this.#incomplete === null ? 'response.completed' : 'response.incomplete';
    const data = `{"type":"${type}","sequence_number":${this.sequence++},"response":${this.response(receipt)}}`;
    return `${events}event: ${type}\ndata: ${data}\n\n`;
  }

  /** The response as it is at the end. */
  response(receipt: Receipt): string {
    const output = this.#items.map((item) => item.toJson());
    return writeResponse(this.#identity, { output, incomplete: this.#incomplete, receipt });
  }

  closeAll(): string {
    let events = '';
    for (const item of this.#open) events += this.#close(item);
    return events;
  }

  get #incomplete(): { readonly reason: string } | null {
    return this.#finish === undefined ? null : writeIncomplete(this.#finish);
  }

  #start(): string {
    if (this.#isStarted) return '';
    this.#isStarted = true;
    const response = writeResponse(this.#identity, { output: [], incomplete: null, receipt: undefined });
    return ['response.created', 'response.in_progress']
      .map(
        (type) =>
          `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.sequence++},"response":${response}}\n\n`,
      )
      .join('');
  }

  #writePart(part: StreamPart): string {
    switch (part.type) {
      case 'text-delta':
        return this.#writeText(part.text);
      case 'refusal-delta':
        return this.#writeRefusal(part.text);
      case 'logprobs':
        this.#logprobs = [...this.#logprobs, ...part.tokens];
        return '';
      case 'citation':
        return this.#writeCitation(part);
      case 'reasoning-delta':
        return this.#writeReasoning(part.text);
      case 'reasoning-signature':
      case 'redacted-reasoning':
        return this.#writeProof(part);
      case 'tool-call-delta':
        return this.#writeCall(part);
      case 'finish':
        this.#finish = part.reason;
        return this.closeAll();
      case 'start':
      case 'usage':
      case 'done':
      case 'error':
        return '';
    }
  }

  #writeText(text: string): string {
    if (text === '') return '';
    const { item, events } = this.#openItem(MessageItem);
    const opened = item.openPart('output_text');
    const logprobs = this.#logprobs;
    this.#logprobs = [];
    item.addText(text, logprobs);
    const known = logprobs.length === 0 ? '[]' : JSON.stringify(logprobs);
    return `${events}${this.#encodeAll(item, opened)}${this.#encodeText(item.deltaHead, text)},"logprobs":${known}}\n\n`;
  }

  /** By hand, since nearly all events of a stream are these. */
  #encodeText({ type, place }: { readonly type: string; readonly place: string }, text: string): string {
    return `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.sequence++},${place},"delta":${quoteText(text)}`;
  }

  #writeRefusal(text: string): string {
    if (text === '') return '';
    const { item, events } = this.#openItem(MessageItem);
    const opened = item.openPart('refusal');
    item.addText(text, []);
    return `${events}${this.#encodeAll(item, opened)}${this.#encodeText(item.deltaHead, text)}}\n\n`;
  }

  #writeCitation(part: StreamPart & { readonly type: 'citation' }): string {
    const { item, events } = this.#openItem(MessageItem);
    const opened = item.openPart('output_text');
    return events + this.#encodeAll(item, [...opened, item.addCitation(part)]);
  }

  #writeReasoning(text: string): string {
    if (text === '') return '';
    const { item, events } = this.#openItem(ReasoningItem);
    const opened = item.openPart();
    item.addText(text);
    return `${events}${this.#encodeAll(item, opened)}${this.#encodeText(item.deltaHead, text)}}\n\n`;
  }

  /** A proof ends its item: reasoning after it is another one. */
  #writeProof(part: StreamPart & { readonly type: 'reasoning-signature' | 'redacted-reasoning' }): string {
    // What is encrypted has no text beside it.
    const closed = part.type === 'redacted-reasoning' ? this.closeAll() : '';
    const { item, events } = this.#openItem(ReasoningItem, part.format === undefined ? undefined : part.id);
    item.prove(part);
    return closed + events + this.#close(item);
  }

  #writeCall({ index, id, name, arguments: text }: ToolCallDelta): string {
    let call = this.#calls.get(index);
    let events = '';
    if (call === undefined) {
      // Other items end before a call; calls may go on side by side.
      for (const item of this.#open) if (!(item instanceof CallItem)) events += this.#close(item);
      const place = this.#items.length;
      const ownId = `fc_${this.#identity.requestId}_${place}`;
      call = new CallItem(ownId, place, {
        callId: id ?? `call_${this.#identity.requestId}_${index}`,
        name: name ?? '',
      });
      this.#calls.set(index, call);
      events += this.#add(call);
    }
    if (text === '') return events;
    call.addArguments(text);
    return `${events}${this.#encodeText(call.deltaHead, text)}}\n\n`;
  }

  /** The open item of this kind, a new one if there is none. */
  #openItem<Item extends OutputItem>(
    kind: (new (id: string, place: number) => Item) & { readonly prefix: string },
    id?: string,
  ): { readonly item: Item; readonly events: string } {
    for (const item of this.#open) if (item instanceof kind) return { item, events: '' };
    const closed = this.closeAll();
    const place = this.#items.length;
    const item = new kind(id ?? `${kind.prefix}_${this.#identity.requestId}_${place}`, place);
    return { item, events: closed + this.#add(item) };
  }

  #add(item: OutputItem): string {
    this.#items.push(item);
    this.#open.add(item);
    const { place } = item;
    return this.#encode({ type: 'response.output_item.added', output_index: place, item: item.toJson() });
  }

  #close(item: OutputItem): string {
    this.#open.delete(item);
    item.status = this.#incomplete === null ? 'completed' : 'incomplete';
    const { place } = item;
    return (
      this.#encodeAll(item, item.closing()) +
      this.#encode({ type: 'response.output_item.done', output_index: place, item: item.toJson() })
    );
  }

  #encodeAll({ id, place }: OutputItem, events: readonly ItemEvent[]): string {
    return events
      .map(({ type, ...members }) => this.#encode({ type, item_id: id, output_index: place, ...members }))
      .join('');
  }

  #encode({ type, ...members }: ItemEvent): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.sequence++, ...members })}\n\n`;
  }
}

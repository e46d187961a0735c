import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { GatewayError } from '../../errors.ts';
import { quoteText } from '../../json/quote-text.ts';
import type { AnswerIdentity, StreamOptions, StreamWriter } from '../dialect.ts';
import { writeCitation } from './citations.ts';
import { toStopReason } from './finish-reason.ts';
import { markOrigin } from './signature.ts';
import { toFirstUsage, toUsageJson } from './usage.ts';

/** What ends a good stream. */
export const TERMINATOR = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

/** Turns parts into the events of a message stream. */
export function createStreamWriter(identity: AnswerIdentity, { price }: Pick<StreamOptions, 'price'>): StreamWriter {
  return new AnthropicStreamWriter(identity, price);
}

/** What is open: a block of text or thinking, or the block of one tool call. */
type OpenBlock = 'text' | 'thinking' | WrittenToolCall;

type ToolCallDelta = StreamPart & { readonly type: 'tool-call-delta' };

interface WrittenToolCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** Arguments that came while an earlier call's block was open. */
  held: string;
  closed: boolean;
}

/**
 * Anthropic's blocks come one after the other, while the deltas of parallel tool calls may come mixed: those of a later
 * call are held until the earlier one's block is closed.
 */
class AnthropicStreamWriter implements StreamWriter {
  readonly #identity: AnswerIdentity;
  readonly #price: StreamOptions['price'];
  readonly #toolCalls = new Map<number, WrittenToolCall>();
  #started = false;
  #usage: ReportedUsage | undefined;
  #blocks = 0;
  #open: OpenBlock | undefined;
  #finish: FinishReason | undefined;
  #isRefusal = false;

  constructor(identity: AnswerIdentity, price: StreamOptions['price']) {
    this.#identity = identity;
    this.#price = price;
  }

  write(part: StreamPart): string {
    const events = this.#writePart(part);
    return events === '' ? '' : this.#start() + events;
  }

  end(receipt: Receipt): string {
    const open = this.#start() + this.#closeAll();
    const delta = JSON.stringify({
      stop_reason: this.#stopReason(),
      stop_sequence: this.#finish?.stopSequence ?? null,
    });
    const data = `{"type":"message_delta","delta":${delta},"usage":${toUsageJson(receipt)}}`;
    return `${open}event: message_delta\ndata: ${data}\n\n${TERMINATOR}`;
  }

  /**
   * `message_start`, once, before the first content. Its format wants counts: where the provider has not reported any yet, the
   * input is our estimate. The true ones are in `message_delta`, where clients take them from.
   */
  #start(): string {
    if (this.#started) return '';
    this.#started = true;
    const message = {
      id: `msg_${this.#identity.requestId}`,
      type: 'message',
      role: 'assistant',
      model: this.#identity.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: toFirstUsage(this.#price(this.#usage, 0)),
    };
    return encode({ type: 'message_start', message });
  }

  #writePart(part: StreamPart): string {
    switch (part.type) {
      case 'text-delta':
        return this.#writeText(part.text);
      case 'refusal-delta':
        this.#isRefusal = true;
        return this.#writeText(part.text);
      case 'reasoning-delta':
        if (part.text === '') return '';
        return this.#openThinking() + this.#textDelta('thinking', part.text);
      case 'reasoning-signature':
        // A signature ends its block: reasoning after it is signed anew.
        return (
          this.#openThinking() +
          this.#delta({ type: 'signature_delta', signature: markOrigin(part.signature, part) }) +
          this.#closeBlock()
        );
      case 'redacted-reasoning':
        return (
          this.#closeAll() +
          this.#blockStart({ type: 'redacted_thinking', data: markOrigin(part.data, part) }) +
          this.#blockStop()
        );
      case 'citation':
        return this.#openText() + this.#delta({ type: 'citations_delta', citation: writeCitation(part) });
      case 'tool-call-delta':
        return this.#writeToolCall(part);
      case 'finish':
        this.#finish = part.reason;
        return this.#closeAll();
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'start':
      case 'logprobs':
      case 'done':
      case 'error':
        break;
    }
    return '';
  }

  #writeText(text: string): string {
    return text === '' ? '' : this.#openText() + this.#textDelta('text', text);
  }

  #openText(): string {
    if (this.#open === 'text') return '';
    const events = this.#closeAll() + this.#blockStart({ type: 'text', text: '' });
    this.#open = 'text';
    return events;
  }

  #openThinking(): string {
    if (this.#open === 'thinking') return '';
    const events = this.#closeAll() + this.#blockStart({ type: 'thinking', thinking: '', signature: '' });
    this.#open = 'thinking';
    return events;
  }

  #writeToolCall(part: ToolCallDelta): string {
    const call = this.#toolCalls.get(part.index) ?? this.#addToolCall(part);
    if (call.closed) {
      throw new GatewayError(
        'upstream_protocol',
        'The provider went on with a tool call after it had gone on to other content.',
      );
    }
    if (this.#open === call) return this.#writeArguments(part.arguments);
    call.held += part.arguments;
    return typeof this.#open === 'object' ? '' : this.#openToolCall(call);
  }

  #addToolCall({ index, id, name }: ToolCallDelta): WrittenToolCall {
    const call = {
      index,
      id: id ?? `toolu_${this.#identity.requestId}_${index}`,
      name: name ?? '',
      held: '',
      closed: false,
    };
    this.#toolCalls.set(index, call);
    return call;
  }

  #openToolCall(call: WrittenToolCall): string {
    const events = this.#closeBlock() + this.#blockStart({ type: 'tool_use', id: call.id, name: call.name, input: {} });
    this.#open = call;
    return events + this.#writeArguments(call.held);
  }

  #writeArguments(json: string): string {
    return json === '' ? '' : this.#delta({ type: 'input_json_delta', partial_json: json });
  }

  /** Closes the open block, and writes every call that was held for it. */
  #closeAll(): string {
    let events = this.#closeBlock();
    for (const call of this.#toolCalls.values()) {
      if (!call.closed) events += this.#openToolCall(call) + this.#closeBlock();
    }
    return events;
  }

  #closeBlock(): string {
    if (this.#open === undefined) return '';
    if (typeof this.#open === 'object') this.#open.closed = true;
    this.#open = undefined;
    return this.#blockStop();
  }

  #blockStart(block: object): string {
    return encode({ type: 'content_block_start', index: this.#blocks++, content_block: block });
  }

  #blockStop(): string {
    return encode({ type: 'content_block_stop', index: this.#blocks - 1 });
  }

  #delta(delta: object): string {
    return encode({ type: 'content_block_delta', index: this.#blocks - 1, delta });
  }

  /** By hand, since nearly all events of a stream are these. */
  #textDelta(kind: 'text' | 'thinking', text: string): string {
    const delta = `{"type":"${kind}_delta","${kind}":${quoteText(text)}}`;
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#blocks - 1},"delta":${delta}}\n\n`;
  }

  #stopReason(): string {
    const reason = this.#finish ?? { unified: 'other', raw: '' };
    return toStopReason(reason, { isRefusal: this.#isRefusal, hasToolCalls: this.#toolCalls.size > 0 });
  }
}

function encode(event: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

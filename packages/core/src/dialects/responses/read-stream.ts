import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import type { StreamReader } from '../dialect.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { readFinishReason } from './finish-reason.ts';
import { readAnnotation, readIdentity, readLogprobs, readProof } from './read-answer.ts';
import { PART_BORDER } from './reasoning-item.ts';
import { readUsage } from './usage.ts';

type Emit = (part: StreamPart) => void;

/**
 * Turns the events of a response's stream into parts; events that are not known are skipped. What an event `….done` says
 * was said by its deltas before.
 * Source: https://platform.openai.com/docs/api-reference/responses-streaming
 */
export function createStreamReader(): StreamReader {
  return new ResponsesStreamReader();
}

/** A function call that has begun, by its place in the output. */
interface OpenCall {
  readonly index: number;
  hasArguments: boolean;
}

class ResponsesStreamReader implements StreamReader {
  thinking = false;
  readonly #calls = new Map<JsonValue, OpenCall>();
  #reasoningHasText = false;

  read(event: string, data: string, emit: Emit): void {
    if (data.trim() === '') return;
    const said = parseJsonObject(data);
    if (said === undefined) {
      throw new GatewayError('upstream_protocol', 'The provider sent an event that is not a JSON object.');
    }
    const { type = event, delta, output_index: place = null } = said;
    switch (type) {
      case 'response.created':
        emit({ type: 'start', ...(isJsonObject(said['response']) && readIdentity(said['response'])) });
        break;
      case 'response.output_text.delta':
        readLogprobs(said['logprobs'], emit);
        if (isFilled(delta)) emit({ type: 'text-delta', choice: 0, text: delta });
        break;
      case 'response.refusal.delta':
        if (isFilled(delta)) emit({ type: 'refusal-delta', choice: 0, text: delta });
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.#readReasoning(delta, emit);
        break;
      case 'response.reasoning_summary_part.added':
        if (this.#reasoningHasText) emit({ type: 'reasoning-delta', choice: 0, text: PART_BORDER });
        break;
      case 'response.output_text.annotation.added':
        readAnnotation(said['annotation'], emit);
        break;
      case 'response.output_item.added':
        this.#readItem(said['item'], place, emit);
        break;
      case 'response.function_call_arguments.delta':
        this.#readArguments(place, delta, emit);
        break;
      case 'response.output_item.done':
        this.#readWholeItem(said['item'], place, emit);
        break;
      case 'response.completed':
      case 'response.incomplete':
        readEnd(said['response'], this.#calls.size > 0, emit);
        break;
      case 'response.failed':
        emit({ type: 'error', error: readInlineError(errorOf(said['response'])) });
        break;
      case 'error':
        emit({ type: 'error', error: readInlineError(said['error'] ?? said) });
        break;
      default:
    }
  }

  #readReasoning(delta: JsonValue | undefined, emit: Emit): void {
    if (!isFilled(delta)) return;
    this.#reasoningHasText = true;
    emit({ type: 'reasoning-delta', choice: 0, text: delta });
  }

  #readItem(item: JsonValue | undefined, place: JsonValue, emit: Emit): void {
    if (!isJsonObject(item)) return;
    if (item['type'] === 'reasoning') {
      this.thinking = true;
      this.#reasoningHasText = false;
    }
    if (item['type'] !== 'function_call') return;
    const { call_id: id, name, arguments: text } = item;
    const call: OpenCall = { index: this.#calls.size, hasArguments: isFilled(text) };
    this.#calls.set(place, call);
    emit({
      type: 'tool-call-delta',
      choice: 0,
      index: call.index,
      ...(isFilled(id) && { id }),
      ...(isFilled(name) && { name }),
      arguments: isFilled(text) ? text : '',
    });
  }

  #readArguments(place: JsonValue, delta: JsonValue | undefined, emit: Emit): void {
    const call = this.#calls.get(place);
    if (call === undefined || !isFilled(delta)) return;
    call.hasArguments = true;
    emit({ type: 'tool-call-delta', choice: 0, index: call.index, arguments: delta });
  }

  /** Some servers send a call in one piece, without deltas. */
  #readWholeItem(item: JsonValue | undefined, place: JsonValue, emit: Emit): void {
    if (!isJsonObject(item)) return;
    if (item['type'] === 'reasoning') readProof(item, this.#reasoningHasText, emit);
    if (item['type'] !== 'function_call') return;
    if (!this.#calls.has(place)) this.#readItem(item, place, emit);
    else if (this.#calls.get(place)?.hasArguments === false) this.#readArguments(place, item['arguments'], emit);
  }
}

function readEnd(response: JsonValue | undefined, hasCalls: boolean, emit: Emit): void {
  const whole: JsonObject = isJsonObject(response) ? response : {};
  const usage = readUsage(whole['usage']);
  if (usage !== undefined) emit({ type: 'usage', usage });
  if (typeof whole['status'] === 'string')
    emit({ type: 'finish', choice: 0, reason: readFinishReason(whole, hasCalls) });
  emit({ type: 'done' });
}

function errorOf(response: JsonValue | undefined): JsonValue {
  return isJsonObject(response) ? (response['error'] ?? {}) : {};
}

function isFilled(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

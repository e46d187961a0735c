import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import type { StreamReader } from '../dialect.ts';
import { readCitations } from './annotations.ts';
import { ChunkTemplate } from './chunk-template.ts';
import { isBrokenOff, readFinishReason } from './finish-reason.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { isFilled, readLogprobs, readTexts, type Emit } from './read-message.ts';
import { readUsage } from './usage.ts';
import type { WireAnswer, WireChoice, WireFunction, WireMessage, WireToolCall } from './wire.ts';

/** The data of the event that ends a stream. */
export const DONE = '[DONE]';

/** Templates in a row that no chunk matched, after which a stream is not worth another one. */
const MAX_UNUSED_TEMPLATES = 8;

export function createStreamReader(): StreamReader {
  return new OpenaiStreamReader();
}

class OpenaiStreamReader implements StreamReader {
  readonly #readChunk = createChunkReader();
  /** Of the last text delta that was parsed: most of a stream is like it. */
  #template: ChunkTemplate | undefined;
  #unusedTemplates = 0;

  read(event: string, data: string, emit: Emit): void {
    const text = data.trim();
    const delta = event === 'error' ? undefined : this.#template?.read(text);
    if (delta !== undefined) {
      this.#unusedTemplates = 0;
      emit(delta);
    } else if (text === DONE) {
      emit({ type: 'done' });
    } else if (text !== '') {
      // An event without data is a keep-alive.
      this.#readChunk(parseChunk(event, text), emit);
      if (event !== 'error' && this.#unusedTemplates < MAX_UNUSED_TEMPLATES) this.#learn(text);
    }
  }

  #learn(data: string): void {
    const template = ChunkTemplate.of(data, readAlone);
    if (template === undefined) return;
    this.#template = template;
    this.#unusedTemplates++;
  }
}

/** What a chunk would say as the first of its stream. */
function readAlone(data: string): StreamPart[] {
  const parts: StreamPart[] = [];
  createChunkReader()(parseChunk('message', data), (part) => parts.push(part));
  return parts;
}

/**
 * The JSON of an event. An event called `error` always comes out as one with an `error` member.
 * @throws GatewayError `upstream_protocol` when the data is not a JSON object.
 */
export function parseChunk(event: string, data: string): WireAnswer {
  let chunk: JsonValue;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    if (event === 'error') return { error: data };
    throw new GatewayError('upstream_protocol', 'The provider sent an event that is not valid JSON.', { cause });
  }
  if (event === 'error') return isJsonObject(chunk) && hasError(chunk) ? chunk : { error: chunk };
  if (isJsonObject(chunk)) return chunk;
  throw new GatewayError('upstream_protocol', 'The provider sent an event that is not a JSON object.');
}

/** Reads the chunks of one stream, one call each. */
export function createChunkReader(): (chunk: WireAnswer, emit: Emit) => void {
  let isStarted = false;
  const calls = new Map<number, ToolCallNumbers>();

  return (chunk, emit) => {
    const choices: readonly JsonValue[] = Array.isArray(chunk.choices) ? chunk.choices : [];
    if (!isStarted && choices.length > 0) {
      isStarted = true;
      emit({ type: 'start', ...readIdentity(chunk) });
    }
    let error: JsonValue | undefined = errorOf(chunk);
    for (const [position, value] of choices.entries()) {
      if (!isJsonObject(value)) continue;
      const choice: WireChoice = value;
      const index = indexOr(choice.index, position);
      const delta: WireMessage = isJsonObject(choice.delta) ? choice.delta : { content: choice.text };
      readLogprobs(choice.logprobs, index, emit);
      readTexts(delta, index, emit);
      if (Array.isArray(delta.tool_calls)) {
        let numbers = calls.get(index);
        if (numbers === undefined) calls.set(index, (numbers = new ToolCallNumbers()));
        readToolCalls(delta.tool_calls, { choice: index, numbers, emit });
      }
      if (isBrokenOff(choice.finish_reason) || hasError(choice)) error ??= choice.error ?? {};
      else if (isFilled(choice.finish_reason)) {
        for (const citation of readCitations(chunk.citations)) emit(citation);
        emit({ type: 'finish', choice: index, reason: readFinishReason(choice.finish_reason, choice.stop_reason) });
      }
    }
    const usage = readUsage(chunk);
    if (usage !== undefined) emit({ type: 'usage', usage });
    if (error !== undefined) emit({ type: 'error', error: readInlineError(error) });
  };
}

/** The `start` part's members, as far as the chunk or answer has them. */
export function readIdentity(answer: WireAnswer): { id?: string; model?: string; created?: number } {
  return {
    ...(isFilled(answer.id) && { id: answer.id }),
    ...(isFilled(answer.model) && { model: answer.model }),
    ...(typeof answer.created === 'number' && { created: answer.created }),
  };
}

/** The error that a chunk or an answer reports in its body: as its `error` member, or by being an error itself (vLLM). */
export function errorOf(answer: WireAnswer): JsonValue | undefined {
  if (hasError(answer)) return answer.error;
  return answer.object === 'error' ? answer : undefined;
}

function hasError(value: { readonly error?: JsonValue | undefined }): boolean {
  return value.error !== undefined && value.error !== null && value.error !== false && value.error !== '';
}

/** `value` if it is an index, else `otherwise`. */
export function indexOr(value: JsonValue | undefined, otherwise: number): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}

interface ToolCallContext {
  readonly choice: number;
  readonly numbers: ToolCallNumbers;
  readonly emit: Emit;
}

function readToolCalls(deltas: readonly JsonValue[], { choice, numbers, emit }: ToolCallContext): void {
  for (const delta of deltas) {
    if (!isJsonObject(delta)) continue;
    const call: WireToolCall = delta;
    const { name, arguments: text }: WireFunction = isJsonObject(call.function) ? call.function : {};
    const id = isFilled(call.id) ? call.id : undefined;
    emit({
      type: 'tool-call-delta',
      choice,
      index: numbers.numberOf(call.index, id),
      ...(id !== undefined && { id }),
      ...(isFilled(name) && { name }),
      arguments: toArgumentsText(text),
    });
  }
}

/** Arguments are JSON text; some servers send them as the object itself. */
export function toArgumentsText(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

/**
 * Numbers the tool calls of one choice from 0 without gaps, whatever the provider's own numbers: Mistral may send none,
 * others begin at 1 or give parallel calls the same one.
 */
export class ToolCallNumbers {
  readonly #ids: (string | undefined)[] = [];
  readonly #byIndex = new Map<JsonValue, number>();

  numberOf(index: JsonValue | undefined, id: string | undefined): number {
    const known = typeof index === 'number' ? this.#byIndex.get(index) : this.#last(id);
    if (known !== undefined && (id === undefined || this.#ids[known] === undefined || this.#ids[known] === id)) {
      return known;
    }
    const number = this.#ids.push(id) - 1;
    if (typeof index === 'number') this.#byIndex.set(index, number);
    return number;
  }

  /** Of a delta without an index: the call with this id, or the last one when it has no id either. */
  #last(id: string | undefined): number | undefined {
    if (id !== undefined) {
      const found = this.#ids.indexOf(id);
      return found === -1 ? undefined : found;
    }
    return this.#ids.length === 0 ? undefined : this.#ids.length - 1;
  }
}

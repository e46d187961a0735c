import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { Quirks } from '../quirks.ts';
import { isFilled, readContent } from './read-message.ts';
import { indexOr, ToolCallNumbers } from './read-stream.ts';
import type { WireAnswer, WireMessage, WireToolCall } from './wire.ts';

/** What completes the messages of one answer; `undefined` for a provider whose messages are whole. */
export function createMessageCompleter(quirks: Quirks | undefined): MessageCompleter | undefined {
  return quirks?.bareToolCalls === true || quirks?.contentParts === true ? new MessageCompleter(quirks) : undefined;
}

/**
 * Gives the messages or deltas of one answer what OpenAI's own have and its clients insist on: content that is a text, each
 * tool call its `type`, each of its deltas the `index` that says which call it goes on with.
 */
export class MessageCompleter {
  readonly #quirks: Quirks;
  readonly #numbers = new Map<number, ToolCallNumbers>();

  constructor(quirks: Quirks) {
    this.#quirks = quirks;
  }

  /** The answer or the chunk with its messages completed; `undefined` when they are whole. `member`: where a choice holds its own. */
  complete(answer: WireAnswer, member: 'message' | 'delta'): WireAnswer | undefined {
    let isWhole = true;
    const choices = listOr(answer.choices).map((choice, position) => {
      const said = isJsonObject(choice) ? choice[member] : undefined;
      if (!isJsonObject(choice) || !isJsonObject(said)) return choice;
      const completed = this.#completeMessage(said, indexOr(choice['index'], position));
      if (completed === said) return choice;
      isWhole = false;
      return { ...choice, [member]: completed };
    });
    return isWhole ? undefined : { ...answer, choices };
  }

  #completeMessage(message: JsonObject, choice: number): JsonObject {
    let completed = message;
    const { content, tool_calls: calls }: WireMessage = message;
    if (this.#quirks.contentParts === true && Array.isArray(content)) completed = { ...message, ...joinParts(content) };
    if (this.#quirks.bareToolCalls === true && Array.isArray(calls)) {
      completed = { ...completed, tool_calls: this.#completeCalls(calls, choice) };
    }
    return completed;
  }

  #completeCalls(calls: readonly JsonValue[], choice: number): JsonValue[] {
    let numbers = this.#numbers.get(choice);
    if (numbers === undefined) this.#numbers.set(choice, (numbers = new ToolCallNumbers()));
    return calls.map((call) => (isJsonObject(call) ? completeCall(call, numbers) : call));
  }
}

/** A list of parts as the two texts that are in it. */
function joinParts(parts: readonly JsonValue[]): JsonObject {
  let content = '';
  let reasoning = '';
  readContent(parts, 0, (part) => {
    if (part.type === 'text-delta') content += part.text;
    if (part.type === 'reasoning-delta') reasoning += part.text;
  });
  return { content, ...(reasoning !== '' && { reasoning_content: reasoning }) };
}

/** A delta without an id goes on with a call, whose type has been said. */
function completeCall(call: WireToolCall, numbers: ToolCallNumbers): JsonObject {
  const id = isFilled(call.id) ? call.id : undefined;
  const type = call.type ?? 'function';
  return { ...call, index: numbers.numberOf(call.index, id), ...(id !== undefined && { type }) };
}

import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { isFilled } from './read-message.ts';
import { indexOr, ToolCallNumbers } from './read-stream.ts';
import type { WireAnswer, WireToolCall } from './wire.ts';

/**
 * Gives the tool calls of one answer what OpenAI's own have and its clients insist on: each call its `type`, each of its
 * deltas the `index` that says which call it goes on with.
 */
export class ToolCallCompleter {
  readonly #numbers = new Map<number, ToolCallNumbers>();

  /** The answer or the chunk with its tool calls completed; `undefined` when it has none. `member`: where a choice holds them. */
  complete(answer: WireAnswer, member: 'message' | 'delta'): WireAnswer | undefined {
    let hasCalls = false;
    const choices = listOr(answer.choices).map((choice, position) => {
      const said = isJsonObject(choice) ? choice[member] : undefined;
      if (!isJsonObject(choice) || !isJsonObject(said) || !Array.isArray(said['tool_calls'])) return choice;
      hasCalls = true;
      const calls = this.#completeCalls(said['tool_calls'], indexOr(choice['index'], position));
      return { ...choice, [member]: { ...said, tool_calls: calls } };
    });
    return hasCalls ? { ...answer, choices } : undefined;
  }

  #completeCalls(calls: readonly JsonValue[], choice: number): JsonValue[] {
    let numbers = this.#numbers.get(choice);
    if (numbers === undefined) this.#numbers.set(choice, (numbers = new ToolCallNumbers()));
    return calls.map((call) => (isJsonObject(call) ? completeCall(call, numbers) : call));
  }
}

/** A delta without an id goes on with a call, whose type has been said. */
function completeCall(call: WireToolCall, numbers: ToolCallNumbers): JsonObject {
  const id = isFilled(call.id) ? call.id : undefined;
  const type = call.type ?? 'function';
  return { ...call, index: numbers.numberOf(call.index, id), ...(id !== undefined && { type }) };
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { readCitations } from './annotations.ts';
import { isBrokenOff, readFinishReason } from './finish-reason.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { isFilled, readLogprobs, readTexts, type Emit } from './read-message.ts';
import { errorOf, indexOr, readIdentity, toArgumentsText } from './read-stream.ts';
import { readUsage } from './usage.ts';
import type { WireAnswer, WireChoice, WireFunction, WireMessage, WireToolCall } from './wire.ts';

/**
 * A complete answer as parts.
 * @throws GatewayError `upstream_protocol` for an answer without choices; what {@link readInlineError} makes of an error
 * that came with status 200.
 */
export function readAnswer(body: JsonObject): StreamPart[] {
  const answer: WireAnswer = body;
  const error = errorOf(answer);
  if (error !== undefined) throw readInlineError(error);
  if (!Array.isArray(answer.choices) || answer.choices.length === 0) {
    throw new GatewayError('upstream_protocol', 'The provider sent an answer without choices.');
  }
  const parts: StreamPart[] = [{ type: 'start', ...readIdentity(answer) }];
  const emit: Emit = (part) => parts.push(part);
  for (const [position, choice] of (answer.choices as readonly JsonValue[]).entries()) {
    if (isJsonObject(choice)) readChoice(choice, { position, citations: answer.citations, emit });
  }
  const usage = readUsage(answer);
  if (usage !== undefined) parts.push({ type: 'usage', usage });
  return parts;
}

interface ChoiceContext {
  readonly position: number;
  readonly citations: JsonValue | undefined;
  readonly emit: Emit;
}

function readChoice(choice: WireChoice, { position, citations, emit }: ChoiceContext): void {
  if (isBrokenOff(choice.finish_reason)) throw readInlineError(choice.error ?? {});
  const index = indexOr(choice.index, position);
  const message: WireMessage = isJsonObject(choice.message) ? choice.message : { content: choice.text };
  readLogprobs(choice.logprobs, index, emit);
  readTexts(message, index, emit);
  if (Array.isArray(message.tool_calls)) readToolCalls(message.tool_calls, index, emit);
  if (index === 0) for (const citation of readCitations(citations)) emit(citation);
  if (isFilled(choice.finish_reason)) {
    emit({ type: 'finish', choice: index, reason: readFinishReason(choice.finish_reason, choice.stop_reason) });
  }
}

function readToolCalls(calls: readonly JsonValue[], choice: number, emit: Emit): void {
  for (const [index, value] of calls.filter(isJsonObject).entries()) {
    const call: WireToolCall = value;
    const { name, arguments: text }: WireFunction = isJsonObject(call.function) ? call.function : {};
    emit({
      type: 'tool-call-delta',
      choice,
      index,
      ...(isFilled(call.id) && { id: call.id }),
      ...(isFilled(name) && { name }),
      arguments: toArgumentsText(text),
    });
  }
}

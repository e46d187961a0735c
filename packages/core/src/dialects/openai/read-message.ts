import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import type { ReasoningOrigin, StreamPart } from '../../chat/stream-part.ts';
import { readAnnotations } from './annotations.ts';
import { readReasoningDetails } from './reasoning-details.ts';
import type { WireMessage } from './wire.ts';

export type Emit = (part: StreamPart) => void;

/** The texts of a delta or a message, reasoning first; its tool calls are read apart, since deltas number them. */
export function readTexts(message: WireMessage, choice: number, emit: Emit): void {
  readReasoning(message, choice, emit);
  readContent(message.content, choice, emit);
  if (isFilled(message.refusal)) emit({ type: 'refusal-delta', choice, text: message.refusal });
  for (const citation of readAnnotations(message.annotations, choice)) emit(citation);
}

/** The log probabilities of a choice, which come beside its delta or message. */
export function readLogprobs(logprobs: JsonValue | undefined, choice: number, emit: Emit): void {
  if (!isJsonObject(logprobs)) return;
  for (const [of, tokens] of [
    ['text', logprobs['content']],
    ['refusal', logprobs['refusal']],
  ] as const) {
    if (Array.isArray(tokens) && tokens.length > 0) emit({ type: 'logprobs', choice, of, tokens });
  }
}

export function isFilled(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** Some providers send the same reasoning under several names: the first that holds text counts. */
function readReasoning(message: WireMessage, choice: number, emit: Emit): void {
  const text = isFilled(message.reasoning_content) ? message.reasoning_content : message.reasoning;
  const details = readReasoningDetails(message.reasoning_details);
  // Where the signed pieces have their texts, the plain text is a copy of them.
  const hasOwnTexts = details.some((detail) => detail.type === 'text' && detail.text !== '');
  if (isFilled(text) && !hasOwnTexts) emit({ type: 'reasoning-delta', choice, text });
  for (const detail of details) {
    if (detail.type === 'encrypted') {
      emit({ type: 'redacted-reasoning', choice, data: detail.data, ...originOf(detail) });
      continue;
    }
    if (detail.text !== '') emit({ type: 'reasoning-delta', choice, text: detail.text });
    if (detail.signature !== '')
      emit({ type: 'reasoning-signature', choice, signature: detail.signature, ...originOf(detail) });
  }
}

function originOf({ format, id }: ReasoningOrigin): ReasoningOrigin {
  return { ...(format !== undefined && { format }), ...(id !== undefined && { id }) };
}

/** Content is a text, or with Mistral a list of parts of the types `text` and `thinking`. */
export function readContent(content: JsonValue | undefined, choice: number, emit: Emit): void {
  if (isFilled(content)) emit({ type: 'text-delta', choice, text: content });
  if (!Array.isArray(content)) return;
  for (const part of content as readonly JsonValue[]) {
    if (!isJsonObject(part)) continue;
    if (part['type'] === 'text' && isFilled(part['text'])) emit({ type: 'text-delta', choice, text: part['text'] });
    if (part['type'] === 'thinking') readThinking(part['thinking'], choice, emit);
  }
}

function readThinking(thinking: JsonValue | undefined, choice: number, emit: Emit): void {
  const pieces: readonly (JsonValue | undefined)[] = Array.isArray(thinking) ? thinking : [thinking];
  for (const piece of pieces) {
    const text = isJsonObject(piece) ? piece['text'] : piece;
    if (isFilled(text)) emit({ type: 'reasoning-delta', choice, text });
  }
}

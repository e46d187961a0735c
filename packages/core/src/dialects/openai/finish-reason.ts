import type { JsonValue } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';

const UNIFIED: ReadonlyMap<string, FinishReason['unified']> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['content_filter', 'content_filter'],
  // Before there were tools.
  ['function_call', 'tool_calls'],
  // Together's word for the end-of-sequence token.
  ['eos', 'stop'],
  // Mistral's word for a full context window.
  ['model_length', 'length'],
]);

/** `stopReason` is vLLM's word beside it: the stop sequence that ended the answer, if one did. */
export function readFinishReason(raw: string, stopReason?: JsonValue): FinishReason {
  return {
    unified: UNIFIED.get(raw) ?? 'other',
    raw,
    ...(typeof stopReason === 'string' && raw === 'stop' && { stopSequence: stopReason }),
  };
}

/** OpenAI's word for the reason; of an unknown one the provider's own word, since a wrong guess would mislead. */
export function writeFinishReason(reason: FinishReason): string {
  return reason.unified === 'other' ? reason.raw : reason.unified;
}

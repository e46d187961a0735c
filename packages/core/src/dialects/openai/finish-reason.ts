import type { JsonValue } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';

const UNIFIED: ReadonlyMap<string, FinishReason['unified']> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['content_filter', 'content_filter'],
  // Before there were tools.
  ['function_call', 'tool_calls'],
  // Together's and TGI's words for the end-of-sequence token.
  ['eos', 'stop'],
  ['eos_token', 'stop'],
  // Anthropic's words, of servers before its models; TGI has the second too.
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['tool_use', 'tool_calls'],
  // Mistral's word for a full context window.
  ['model_length', 'length'],
]);

/**
 * The words for an answer that its provider broke off: when it failed (OpenRouter and others), when it ran out of resources
 * (DeepSeek), when it dropped the request (vLLM, SGLang).
 * Source: https://api-docs.deepseek.com/api/create-chat-completion
 */
const BROKEN_OFF: ReadonlySet<JsonValue | undefined> = new Set(['error', 'insufficient_system_resource', 'abort']);

/** True when a choice is not ended but broken off, which is an error of the provider's. */
export function isBrokenOff(raw: JsonValue | undefined): boolean {
  return BROKEN_OFF.has(raw);
}

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

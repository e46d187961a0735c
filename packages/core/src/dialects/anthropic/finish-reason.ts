import type { JsonValue } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';

/** Source: https://docs.anthropic.com/en/api/handling-stop-reasons */
const UNIFIED: Readonly<Record<string, FinishReason['unified']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

const STOP_REASONS: Readonly<Record<FinishReason['unified'], string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  other: 'end_turn',
};

/** Anthropic's `stop_reason`, and the `stop_sequence` beside it, as a finish reason. */
export function fromStopReason(raw: string, stopSequence?: JsonValue): FinishReason {
  return {
    unified: Object.hasOwn(UNIFIED, raw) ? (UNIFIED[raw] ?? 'other') : 'other',
    raw,
    ...(typeof stopSequence === 'string' && { stopSequence }),
  };
}

/** A finish reason as Anthropic's `stop_reason`: its own word where it came from Anthropic, the nearest one where it did not. */
export function toStopReason({ unified, raw, stopSequence }: FinishReason): string {
  if (stopSequence !== undefined) return 'stop_sequence';
  return Object.hasOwn(UNIFIED, raw) ? raw : STOP_REASONS[unified];
}

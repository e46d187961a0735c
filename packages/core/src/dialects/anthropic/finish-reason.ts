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

/** What an answer holds, where the reason why it ended does not tell. */
export interface AnswerContent {
  readonly isRefusal: boolean;
  readonly hasToolCalls: boolean;
}

/**
 * A finish reason as Anthropic's `stop_reason`: its own word where it came from Anthropic, the nearest one where it did not.
 * Others say `stop` of a refusal, and some of them of a tool call that they were made to make.
 */
export function toStopReason({ unified, raw, stopSequence }: FinishReason, content: AnswerContent): string {
  if (stopSequence !== undefined) return 'stop_sequence';
  if (unified === 'stop' && content.isRefusal) return 'refusal';
  if (Object.hasOwn(UNIFIED, raw)) return raw;
  return unified === 'stop' && content.hasToolCalls ? 'tool_use' : STOP_REASONS[unified];
}

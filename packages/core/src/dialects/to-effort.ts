import type { ReasoningRequest } from '../chat/chat-request.ts';

/** How much a model is to think, in words. */
export type Effort = NonNullable<ReasoningRequest['effort']>;

/**
 * A wish for reasoning as an effort in words, as OpenAI has them: a budget becomes one by its size, in tokens.
 * `undefined`: no wish, or one that leaves it to the model, since whether it reasons is not known, and one that does not
 * refuses any effort.
 */
export function toEffort({ effort, budgetTokens }: ReasoningRequest): Effort | undefined {
  if (budgetTokens === 0) return 'none';
  if (effort !== undefined) return effort;
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

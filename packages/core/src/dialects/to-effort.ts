import type { ReasoningRequest } from '../chat/chat-request.ts';

/** How much a model is to think, in words. */
export type Effort = NonNullable<ReasoningRequest['effort']>;

/**
 * A wish for reasoning as an effort in words, as OpenAI has them: a budget becomes one by its size, in tokens, and what is
 * left to the model is `high`, as it is at Anthropic. `undefined`: no wish.
 * Source: https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 */
export function toEffort({ effort, budgetTokens, isAdaptive }: ReasoningRequest): Effort | undefined {
  if (budgetTokens === 0) return 'none';
  if (effort !== undefined) return effort;
  if (isAdaptive === true) return 'high';
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

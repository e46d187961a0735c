import type { ReasoningRequest } from '../chat/chat-request.ts';

/** A wish for reasoning as an effort in words, as OpenAI has them: a budget becomes one by its size, in tokens. */
export function toEffort({ effort, budgetTokens }: ReasoningRequest): string | undefined {
  if (effort !== undefined) return effort === 'max' ? 'xhigh' : effort;
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

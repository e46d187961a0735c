import type { ChatRequest, ReasoningRequest } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';

/** The least that Anthropic accepts. */
const MIN_BUDGET = 1024;

/** Tokens of thinking for an effort in words. */
const BUDGETS: Readonly<Record<NonNullable<ReasoningRequest['effort']>, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 32_768,
};

/**
 * Anthropic's `thinking`, and `max_tokens` with room for it: thinking is paid out of `max_tokens`, which is raised by the
 * budget as far as the model's limit allows; where it does not, the budget shrinks to half of it.
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
 * @throws GatewayError `unsupported_parameter` for what Anthropic refuses beside thinking.
 */
export function planThinking(
  request: ChatRequest,
  { asked, limit }: { asked: number; limit: number },
): { thinking: JsonObject | undefined; maxTokens: number } {
  const wanted = budgetOf(request.reasoning);
  if (wanted === undefined) return { thinking: undefined, maxTokens: asked };
  if (wanted === 0) return { thinking: { type: 'disabled' }, maxTokens: asked };
  if (hasUnsignedToolCalls(request)) return { thinking: undefined, maxTokens: asked };
  refuseBesideThinking(request);
  const raised = Math.max(wanted, MIN_BUDGET);
  const maxTokens = Math.min(asked + raised, limit);
  const budget = raised < maxTokens ? raised : Math.max(MIN_BUDGET, Math.floor(maxTokens / 2));
  if (budget >= maxTokens)
    throw refuse('reasoning', `needs a model that can answer with more than ${MIN_BUDGET} tokens`);
  return { thinking: { type: 'enabled', budget_tokens: budget }, maxTokens };
}

function budgetOf(reasoning: ReasoningRequest | undefined): number | undefined {
  return reasoning?.budgetTokens ?? (reasoning?.effort === undefined ? undefined : BUDGETS[reasoning.effort]);
}

/**
 * True in the middle of a tool loop whose call was made without signed thinking, say by a model of another provider.
 * Anthropic refuses to begin thinking there, so this one turn goes without.
 */
function hasUnsignedToolCalls({ messages }: ChatRequest): boolean {
  const last = messages.findLast(({ role }) => role !== 'tool' && role !== 'system');
  return (
    last?.role === 'assistant' &&
    last.toolCalls.length > 0 &&
    !last.content.some((part) => part.type === 'redacted-reasoning' || (part.type === 'reasoning' && part.signature))
  );
}

function refuseBesideThinking({ temperature, topP, topK, toolChoice }: ChatRequest): void {
  if (temperature !== undefined && temperature !== 1)
    throw refuse('temperature', 'must be 1 or left out with reasoning');
  if (topP !== undefined && topP < 0.95) throw refuse('top_p', 'must be from 0.95 to 1 or left out with reasoning');
  if (topK !== undefined) throw refuse('top_k', 'must be left out with reasoning');
  if (toolChoice?.type === 'required' || toolChoice?.type === 'tool') {
    throw refuse('tool_choice', "must be 'auto' or 'none' with reasoning");
  }
}

function refuse(param: string, rule: string): GatewayError {
  return new GatewayError('unsupported_parameter', `${param} ${rule}, for the provider of this model.`, { param });
}

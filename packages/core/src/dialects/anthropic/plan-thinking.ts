import type { ChatRequest, ReasoningRequest, ToolChoice } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import type { Losses } from '../losses.ts';
import { toEffort } from '../to-effort.ts';

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
  max: 32_768,
};

/** Models that decide themselves how much they think and take an effort; the newest of them refuse a budget. */
const ADAPTIVE = /claude-(?:opus|sonnet|haiku|fable|mythos)-(?:4-[6-9]|[5-9])(?:\b|-)/;
/** Anthropic has no efforts below low. */
const EFFORTS: Readonly<Record<string, string>> = { minimal: 'low' };

export interface ThinkingPlan {
  readonly thinking?: JsonObject | undefined;
  readonly effort?: string | undefined;
  readonly maxTokens: number;
  /** What of the request goes with the plan. */
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly toolChoice: ToolChoice | undefined;
}

export interface ThinkingLimits {
  /** The bound on the answer that the caller asked for, in tokens. */
  readonly asked: number;
  /** Most tokens that the model can answer with. */
  readonly limit: number;
  readonly model: string;
  readonly losses: Losses;
}

/**
 * Anthropic's `thinking`, and `max_tokens` with room for it: thinking is paid out of `max_tokens`, which is raised by the
 * budget as far as the model's limit allows; where it does not, the budget shrinks to half of it. What Anthropic refuses
 * beside thinking is lost.
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking and …/adaptive-thinking
 */
export function planThinking(request: ChatRequest, { asked, limit, model, losses }: ThinkingLimits): ThinkingPlan {
  const { temperature, topP, topK, toolChoice, reasoning } = request;
  const wanted = budgetOf(reasoning);
  const isAsked = reasoning !== undefined && wanted !== undefined && wanted > 0;
  // Anthropic refuses to begin thinking in the middle of a tool loop, so this one turn goes without.
  const isInLoop = isAsked && hasUnsignedToolCalls(request);
  if (isInLoop) losses.addHint('reasoning');
  if (!isAsked || isInLoop) {
    const thinking = wanted === 0 ? { type: 'disabled' } : undefined;
    return { maxTokens: asked, temperature: loseHeat(temperature, losses), topP, topK, toolChoice, thinking };
  }
  const beside = besideThinking(request, losses);
  const raised = Math.max(wanted, MIN_BUDGET);
  const maxTokens = Math.min(asked + raised, limit);
  if (ADAPTIVE.test(model)) {
    const effort = reasoning.effort ?? toEffort(reasoning);
    const thinking = { type: 'adaptive' };
    return { ...beside, maxTokens, thinking, ...(effort !== undefined && { effort: EFFORTS[effort] ?? effort }) };
  }
  const budget = raised < maxTokens ? raised : Math.max(MIN_BUDGET, Math.floor(maxTokens / 2));
  if (budget < maxTokens) return { ...beside, maxTokens, thinking: { type: 'enabled', budget_tokens: budget } };
  losses.add('reasoning', `needs a model that can answer with more than ${MIN_BUDGET} tokens`);
  return { ...beside, maxTokens: asked };
}

function budgetOf(reasoning: ReasoningRequest | undefined): number | undefined {
  return reasoning?.budgetTokens ?? (reasoning?.effort === undefined ? undefined : BUDGETS[reasoning.effort]);
}

/** True in the middle of a tool loop whose call was made without signed thinking, say by a model of another provider. */
function hasUnsignedToolCalls({ messages }: ChatRequest): boolean {
  const last = messages.findLast(({ role }) => role !== 'tool' && role !== 'system');
  return (
    last?.role === 'assistant' &&
    last.toolCalls.length > 0 &&
    !last.content.some(
      (part) =>
        (part.type === 'redacted-reasoning' || (part.type === 'reasoning' && part.signature)) &&
        part.format !== 'openai',
    )
  );
}

function loseHeat(temperature: number | undefined, losses: Losses): number | undefined {
  if (temperature === undefined || temperature <= 1) return temperature;
  losses.add('temperature', 'must be from 0 to 1 for the provider of this model');
  return undefined;
}

function besideThinking(
  { temperature, topP, topK, toolChoice }: ChatRequest,
  losses: Losses,
): Pick<ThinkingPlan, 'temperature' | 'topP' | 'topK' | 'toolChoice'> {
  const isTooHot = temperature !== undefined && temperature !== 1;
  const isTooNarrow = topP !== undefined && topP < 0.95;
  const isForced = toolChoice?.type === 'required' || toolChoice?.type === 'tool';
  if (isTooHot) losses.add('temperature', 'must be 1 or left out with reasoning, for the provider of this model');
  if (isTooNarrow)
    losses.add('top_p', 'must be from 0.95 to 1 or left out with reasoning, for the provider of this model');
  if (topK !== undefined) losses.add('top_k', 'must be left out with reasoning, for the provider of this model');
  if (isForced) losses.add('tool_choice', "must be 'auto' or 'none' with reasoning, for the provider of this model");
  return {
    temperature: isTooHot ? undefined : temperature,
    topP: isTooNarrow ? undefined : topP,
    topK: undefined,
    toolChoice: isForced ? undefined : toolChoice,
  };
}

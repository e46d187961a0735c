import type { ChatRequest } from '../../chat/chat-request.ts';
import type { Losses } from '../losses.ts';
import { toEffort, type Effort } from '../to-effort.ts';
import type { ModelRules } from './model-rules.ts';
import { isOwnReasoning } from './write-request-turns.ts';

/** The least that Anthropic accepts. */
const MIN_BUDGET = 1024;

/** Tokens of thinking for an effort in words. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};

type Thinking =
  | { readonly type: 'disabled' }
  | { readonly type: 'adaptive'; readonly display: 'summarized' }
  | { readonly type: 'enabled'; readonly budget_tokens: number };

/** How the model is asked to think, if it is. */
export interface ThinkingPlan {
  readonly thinking?: Thinking | undefined;
  readonly effort?: Effort | undefined;
  readonly maxTokens: number;
}

export interface ThinkingOptions {
  /** The bound on the answer that the caller asked for, in tokens. */
  readonly asked: number;
  /** Most tokens that the model can answer with. */
  readonly limit: number;
  readonly rules: ModelRules;
  readonly losses: Losses;
}

/**
 * Anthropic's `thinking`, and `max_tokens` with room for it: thinking is paid out of `max_tokens`, which is raised by the
 * budget as far as the model's limit allows.
 * Source: https://platform.claude.com/docs/en/build-with-claude/thinking and …/adaptive-thinking
 */
export function planThinking(request: ChatRequest, options: ThinkingOptions): ThinkingPlan {
  const { asked, limit, rules } = options;
  const { reasoning = {} } = request;
  // What is left to the model is of a high effort with Anthropic.
  const effort = toEffort(reasoning) ?? (reasoning.isAdaptive === true ? 'high' : undefined);
  if (effort === undefined) return { maxTokens: asked };
  if (effort === 'none') return planSilence(options);
  const budget = Math.max(reasoning.budgetTokens ?? BUDGETS[effort], MIN_BUDGET);
  const maxTokens = Math.min(asked + budget, limit);
  return rules.isAdaptive
    ? planAdaptive(effort, { ...options, maxTokens })
    : planBudget(request, { ...options, maxTokens, budget });
}

function planSilence({ asked, rules, losses }: ThinkingOptions): ThinkingPlan {
  if (!rules.alwaysThinks) return { maxTokens: asked, thinking: { type: 'disabled' } };
  losses.add('reasoning', 'must be left out or ask for some: this model always thinks');
  return { maxTokens: asked };
}

/**
 * With the nearest effort that the model knows. The newer of these models tell what they think only when they are asked to;
 * the others take the wish as well.
 */
function planAdaptive(effort: Effort, options: ThinkingOptions & { readonly maxTokens: number }): ThinkingPlan {
  const { maxTokens, rules, losses } = options;
  const nearest = effort === 'minimal' ? 'low' : effort === 'xhigh' && !rules.takesXhigh ? 'high' : effort;
  if (nearest !== effort) losses.addHint('reasoning');
  return { maxTokens, thinking: { type: 'adaptive', display: 'summarized' }, effort: nearest };
}

/** Where `max_tokens` cannot be raised by the budget, the budget shrinks to half of it. */
function planBudget(
  request: ChatRequest,
  options: ThinkingOptions & { readonly maxTokens: number; readonly budget: number },
): ThinkingPlan {
  const { asked, maxTokens, budget, losses } = options;
  // Within a budget, no model begins to think in the middle of a tool loop, so this one turn goes without.
  if (hasUnsignedToolCalls(request)) {
    losses.addHint('reasoning');
    return { maxTokens: asked };
  }
  const fitting = budget < maxTokens ? budget : Math.max(MIN_BUDGET, Math.floor(maxTokens / 2));
  if (fitting < maxTokens) return { maxTokens, thinking: { type: 'enabled', budget_tokens: fitting } };
  losses.add('reasoning', `needs a model that can answer with more than ${MIN_BUDGET} tokens`);
  return { maxTokens: asked };
}

/** True in the middle of a tool loop whose call was made without signed thinking, say by a model of another provider. */
function hasUnsignedToolCalls({ messages }: ChatRequest): boolean {
  const last = messages.findLast(({ role }) => role !== 'tool' && role !== 'system');
  return (
    last?.role === 'assistant' &&
    last.toolCalls.length > 0 &&
    !last.content.some(
      (part) => (part.type === 'redacted-reasoning' || part.type === 'reasoning') && isOwnReasoning(part),
    )
  );
}

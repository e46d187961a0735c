import { isJsonObject, objectOr, type JsonValue } from '../../chat/json.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import type { Receipt } from '../../cost/receipt.ts';
import type { WireAnswer, WireTokenDetails, WireUsage } from './wire.ts';

/** The usage of a chunk or an answer, wherever it stands; `undefined` when it reports none. */
export function readUsage(answer: WireAnswer): ReportedUsage | undefined {
  if (isJsonObject(answer.usage)) return toReportedUsage(answer.usage);
  const groq = answer.x_groq;
  return isJsonObject(groq) && isJsonObject(groq['usage']) ? toReportedUsage(groq['usage']) : undefined;
}

/** OpenAI's usage object, cost included, as JSON text: cost is a number written with its exact digits. */
export function writeUsage({ counts, cost }: Receipt): string {
  const usage = {
    prompt_tokens: counts.promptTokens,
    completion_tokens: counts.completionTokens,
    total_tokens: counts.promptTokens + counts.completionTokens,
    prompt_tokens_details: { cached_tokens: counts.cachedTokens, cache_write_tokens: counts.cacheWriteTokens },
    completion_tokens_details: { reasoning_tokens: counts.reasoningTokens },
  };
  return `${JSON.stringify(usage).slice(0, -1)},"cost":${formatUsd(cost.total)}}`;
}

function toReportedUsage(usage: WireUsage): ReportedUsage | undefined {
  const prompt: WireTokenDetails = objectOr(usage.prompt_tokens_details);
  const completion: WireTokenDetails = objectOr(usage.completion_tokens_details);
  const reasoningTokens = firstNumber(completion.reasoning_tokens, usage.reasoning_tokens);
  const reported: ReportedUsage = {
    promptTokens: firstNumber(usage.prompt_tokens),
    completionTokens: completionTokens(usage, reasoningTokens),
    cachedTokens: firstNumber(
      prompt.cached_tokens,
      usage.prompt_cache_hit_tokens,
      usage.cached_tokens,
      usage.cache_read_input_tokens,
    ),
    cacheWriteTokens: firstNumber(
      prompt.cache_write_tokens,
      prompt.cache_creation_tokens,
      usage.cache_creation_input_tokens,
    ),
    cacheWrite1hTokens: firstNumber(objectOr(prompt.cache_creation_token_details)['ephemeral_1h_input_tokens']),
    reasoningTokens,
  };
  return Object.values(reported).some((count) => count !== undefined) ? reported : undefined;
}

/** xAI leaves the reasoning out of `completion_tokens`; its total, which has it, gives that away. */
function completionTokens(usage: WireUsage, reasoning: number | undefined): number | undefined {
  const prompt = firstNumber(usage.prompt_tokens);
  const completion = firstNumber(usage.completion_tokens);
  if (prompt === undefined || completion === undefined || reasoning === undefined) return completion;
  return usage.total_tokens === prompt + completion + reasoning ? completion + reasoning : completion;
}

function firstNumber(...values: (JsonValue | undefined)[]): number | undefined {
  return values.find((value) => typeof value === 'number');
}

import { isJsonObject, objectOr, type JsonValue } from '../../chat/json.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import type { Receipt } from '../../cost/receipt.ts';

/** A response's `usage`; `undefined` when it reports none. */
export function readUsage(usage: JsonValue | undefined): ReportedUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = objectOr(usage['input_tokens_details']);
  const output = objectOr(usage['output_tokens_details']);
  const reported: ReportedUsage = {
    promptTokens: numberOf(usage['input_tokens']),
    completionTokens: numberOf(usage['output_tokens']),
    cachedTokens: numberOf(input['cached_tokens']),
    cacheWriteTokens: numberOf(input['cache_write_tokens']),
    reasoningTokens: numberOf(output['reasoning_tokens']),
  };
  return Object.values(reported).some((count) => count !== undefined) ? reported : undefined;
}

/** A receipt as JSON text of a response's `usage`; `cost` is a number written with its exact digits. */
export function writeUsage({ counts, cost }: Receipt): string {
  const usage = {
    input_tokens: counts.promptTokens,
    input_tokens_details: { cached_tokens: counts.cachedTokens, cache_write_tokens: counts.cacheWriteTokens },
    output_tokens: counts.completionTokens,
    output_tokens_details: { reasoning_tokens: counts.reasoningTokens },
    total_tokens: counts.promptTokens + counts.completionTokens,
  };
  return `${JSON.stringify(usage).slice(0, -1)},"cost":${formatUsd(cost.total)}}`;
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

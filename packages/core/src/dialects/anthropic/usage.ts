import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { ReportedUsage, TokenCounts } from '../../chat/usage.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import type { WireUsage } from './wire.ts';

/** Anthropic's own counts; input, cache reads and cache writes do not contain one another. `undefined` = not reported. */
export interface WireCounts {
  readonly input: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  /** Part of `cacheWrite` that was written for an hour; the rest for five minutes. */
  readonly cacheWrite1h: number | undefined;
  readonly output: number | undefined;
  readonly thinking: number | undefined;
  /** Output was stated by something later than the beginning of the answer. */
  readonly outputIsFinal: boolean;
}

const NOTHING: WireCounts = {
  input: undefined,
  cacheRead: undefined,
  cacheWrite: undefined,
  cacheWrite1h: undefined,
  output: undefined,
  thinking: undefined,
  outputIsFinal: false,
};

/** A `usage` object as counts; whatever is not a whole number of at least 0 counts as not reported. */
export function readCounts(usage: JsonValue | undefined): WireCounts {
  if (!isJsonObject(usage)) return NOTHING;
  const wire: WireUsage = usage;
  const details = wire.output_tokens_details;
  const writes = wire.cache_creation;
  const output = toCount(wire.output_tokens);
  return {
    input: toCount(wire.input_tokens),
    cacheRead: toCount(wire.cache_read_input_tokens),
    cacheWrite: toCount(wire.cache_creation_input_tokens),
    cacheWrite1h: isJsonObject(writes) ? toCount(writes['ephemeral_1h_input_tokens']) : undefined,
    output,
    thinking: isJsonObject(details) ? toCount(details['thinking_tokens']) : undefined,
    outputIsFinal: output !== undefined,
  };
}

/** The usage of a `message_start`, whose output is how the answer begins: a token or none. */
export function readFirstCounts(usage: JsonValue | undefined): WireCounts {
  return { ...readCounts(usage), outputIsFinal: false };
}

/**
 * What two usages of one stream say together. Output counts are cumulative: the larger one stands. Input is stated
 * anew by `message_delta` where server tools or compaction changed it, up or down: the later one stands, unless it is
 * all zeros, which is how some compatible servers leave it out.
 */
export function mergeCounts(earlier: WireCounts, later: WireCounts): WireCounts {
  const restated = (later.input ?? 0) + (later.cacheRead ?? 0) + (later.cacheWrite ?? 0) > 0;
  const input = restated ? later : earlier;
  return {
    input: input.input ?? earlier.input ?? later.input,
    cacheRead: input.cacheRead ?? earlier.cacheRead ?? later.cacheRead,
    cacheWrite: input.cacheWrite ?? earlier.cacheWrite ?? later.cacheWrite,
    cacheWrite1h: input.cacheWrite1h ?? earlier.cacheWrite1h ?? later.cacheWrite1h,
    output: larger(earlier.output, later.output),
    thinking: larger(earlier.thinking, later.thinking),
    outputIsFinal: earlier.outputIsFinal || later.outputIsFinal,
  };
}

/** Counts in neutral terms; `undefined` when nothing was reported. */
export function toReportedUsage(counts: WireCounts): ReportedUsage | undefined {
  const { input, cacheRead, cacheWrite, cacheWrite1h, output, thinking, outputIsFinal } = counts;
  if (input === undefined && output === undefined) return undefined;
  return {
    promptTokens: input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0),
    completionTokens: output,
    cachedTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    cacheWrite1hTokens: cacheWrite1h,
    reasoningTokens: thinking,
    ...(output !== undefined && !outputIsFinal && { outputIsProvisional: true }),
  };
}

/** A receipt as JSON text of Anthropic's `usage`, with the exact `cost` in USD as a number. */
export function toUsageJson({ counts, cost }: Receipt): string {
  const { cacheWriteTokens, cacheWrite1hTokens: writtenForHour = 0 } = counts;
  const writes = {
    ephemeral_5m_input_tokens: cacheWriteTokens - writtenForHour,
    ephemeral_1h_input_tokens: writtenForHour,
  };
  const usage = JSON.stringify({
    input_tokens: uncachedInput(counts),
    cache_creation_input_tokens: cacheWriteTokens,
    ...(writtenForHour > 0 && { cache_creation: writes }),
    cache_read_input_tokens: counts.cachedTokens,
    output_tokens: counts.completionTokens,
    output_tokens_details: { thinking_tokens: counts.reasoningTokens },
  });
  // A JavaScript number could not hold every nano-USD, so the digits are put into the text.
  return `${usage.slice(0, -1)},"cost":${formatUsd(cost.total)}}`;
}

/** What is known of the usage when an answer begins; of the cache, only what a provider has reported. */
export function toFirstUsage({ counts }: Receipt): JsonObject {
  const { cachedTokens, cacheWriteTokens, completionTokens } = counts;
  return {
    input_tokens: uncachedInput(counts),
    ...(cacheWriteTokens > 0 && { cache_creation_input_tokens: cacheWriteTokens }),
    ...(cachedTokens > 0 && { cache_read_input_tokens: cachedTokens }),
    output_tokens: completionTokens,
  };
}

function uncachedInput({ promptTokens, cachedTokens, cacheWriteTokens }: TokenCounts): number {
  return Math.max(0, promptTokens - cachedTokens - cacheWriteTokens);
}

function toCount(value: JsonValue | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

import type { ReportedUsage, TokenCounts } from '../chat/usage.ts';

/** All that is known of what a request used, when it has ended or while it runs. */
export interface UsageEvidence {
  /** The provider's last word; `undefined` when it said nothing. */
  readonly usage: ReportedUsage | undefined;
  /** Our own count of output tokens. */
  readonly countedTokens: number;
  /** Our own likely count of input tokens. */
  readonly estimatedInputTokens: number;
  /** The answer came to its own end; false when anyone cut it short. */
  readonly complete: boolean;
  /** The model's; a provider that reports more input is not believed. */
  readonly contextWindow?: number | undefined;
  /** The model's, per choice; a provider that reports more output is not believed. */
  readonly maxOutputTokens?: number | undefined;
  /** How many answers were asked for. @defaultValue 1 */
  readonly choices?: number | undefined;
}

/** Token counts that can be billed. */
export interface SettledUsage {
  readonly counts: TokenCounts;
  /** True when any count is our own or was corrected, and whenever the answer was cut short. */
  readonly estimated: boolean;
}

/** Where a model's limits are not known: more than any model takes or gives, far less than a provider's nonsense. */
const MOST_TOKENS_BELIEVED = 10_000_000;

/**
 * Token counts that can be billed, out of what the provider reported and what we counted ourselves.
 *
 * A provider is believed when its numbers are whole, at least 0 and within the model's limits. A total that is missing or
 * unbelievable is replaced by our own count, and its parts with it; a part that exceeds its total (recorded: 161 cached
 * of 7 prompt tokens, 18 reasoning of 16) is cut to it. A provider's running count may lag behind the text that came, so of
 * an answer cut short, or of one whose output was only stated as it began, the larger of its and our own count is taken.
 */
export function settleUsage(evidence: UsageEvidence): SettledUsage {
  const usage = evidence.usage ?? {};
  const { maxOutputTokens, choices = 1 } = evidence;
  const mostOutput = maxOutputTokens === undefined ? MOST_TOKENS_BELIEVED : maxOutputTokens * choices;

  const promptBelieved = isCount(usage.promptTokens, evidence.contextWindow ?? MOST_TOKENS_BELIEVED);
  const completionBelieved = isCount(usage.completionTokens, mostOutput);
  const promptTokens = promptBelieved ? usage.promptTokens : Math.ceil(evidence.estimatedInputTokens);
  const reportedCompletion = completionBelieved ? usage.completionTokens : 0;
  const isFinal = completionBelieved && usage.outputIsProvisional !== true;
  const completionTokens =
    isFinal && evidence.complete ? reportedCompletion : Math.max(reportedCompletion, Math.ceil(evidence.countedTokens));

  const cachedTokens = promptBelieved ? cutPart(usage.cachedTokens, promptTokens) : 0;
  const cacheWriteTokens = promptBelieved ? cutPart(usage.cacheWriteTokens, promptTokens - cachedTokens) : 0;
  const cacheWrite1hTokens = cutPart(usage.cacheWrite1hTokens, cacheWriteTokens);
  const reasoningTokens = completionBelieved ? cutPart(usage.reasoningTokens, completionTokens) : 0;

  const corrected =
    !promptBelieved ||
    !isFinal ||
    cachedTokens !== (usage.cachedTokens ?? 0) ||
    cacheWriteTokens !== (usage.cacheWriteTokens ?? 0) ||
    cacheWrite1hTokens !== (usage.cacheWrite1hTokens ?? 0) ||
    reasoningTokens !== (usage.reasoningTokens ?? 0);
  return {
    counts: {
      promptTokens,
      completionTokens,
      cachedTokens,
      cacheWriteTokens,
      ...(cacheWrite1hTokens > 0 && { cacheWrite1hTokens }),
      reasoningTokens,
    },
    estimated: corrected || !evidence.complete,
  };
}

function isCount(value: number | undefined, most: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= most;
}

/** A part as reported, at most its whole; 0 where it was not reported or is no count at all. */
function cutPart(part: number | undefined, whole: number): number {
  return isCount(part, Number.MAX_SAFE_INTEGER) ? Math.min(part, whole) : 0;
}

/**
 * Token counts as a provider reported them. A count that was not reported is `undefined`, never 0.
 *
 * Whatever the provider's own custom, here `promptTokens` is all input (cached reads and cache writes included) and
 * `completionTokens` all output (reasoning included); the others are parts of those two.
 */
export interface ReportedUsage {
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
  /** Part of `promptTokens` that was read from the provider's cache. */
  readonly cachedTokens?: number | undefined;
  /** Part of `promptTokens` that was written to the provider's cache. */
  readonly cacheWriteTokens?: number | undefined;
  /** Part of `cacheWriteTokens` that was written for an hour. */
  readonly cacheWrite1hTokens?: number | undefined;
  /** Part of `completionTokens` that was spent on reasoning. */
  readonly reasoningTokens?: number | undefined;
  /** Output was only stated at the beginning of the answer, and not yet, or never, at its end. */
  readonly outputIsProvisional?: true | undefined;
}

/** Token counts that are billed: each known, whole, at least 0, and no part larger than its whole. */
export interface TokenCounts {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  /** Part of `cacheWriteTokens` that was written for an hour, and has a price of its own; absent: none. */
  readonly cacheWrite1hTokens?: number | undefined;
  readonly reasoningTokens: number;
}

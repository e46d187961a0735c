/**
 * What a model costs, in nano-USD per million tokens (USD per million tokens × 10⁹): an exact integer for every price
 * of up to nine decimals.
 */
export interface Price {
  readonly input: bigint;
  readonly output: bigint;
  /** Of input tokens read from the provider's cache. */
  readonly cachedInput: bigint;
  /** Of input tokens written to the provider's cache. */
  readonly cacheWrite: bigint;
  /** Of output tokens spent on reasoning. */
  readonly reasoning: bigint;
  /** Names this set of figures in the ledger, so that an old bill can be computed again. */
  readonly version: string;
}

/**
 * How the gateways of one cluster share what they know of deployments, so that they need not each find out for themselves,
 * and so that one request of the whole cluster finds out whether a deployment has recovered. A process on its own has none.
 */
export interface HealthPeers {
  /**
   * Asks for the one probe of a deployment whose rest is over. `true` when this process may send it: nobody else may until
   * {@link returnProbe} or, should this process die, until `ttlMs` have passed. Never rejects; when the peers cannot be
   * asked it is `true`, since a probe too many does less harm than a deployment that nobody tries again.
   */
  takeProbe(deployment: string, ttlMs: number): Promise<boolean>;
  /** Gives the probe back, whatever came of it. */
  returnProbe(deployment: string): void;
  /** Tells all other processes. They hear of it soon or, when the connection is away, never: each protects itself as well. */
  announce(news: HealthNews): void;
}

/** What one process tells the others of a deployment. Times are spans, so that no two clocks are compared. */
export type HealthNews =
  /** Its breaker opened and rests so long. Whoever hears it opens its own at the next failure, if nothing goes well before. */
  | { readonly kind: 'opened'; readonly deployment: string; readonly restMs: number }
  /** It answered again. */
  | { readonly kind: 'closed'; readonly deployment: string }
  /** It asked to be left alone for so long (`Retry-After`). */
  | { readonly kind: 'cooling'; readonly deployment: string; readonly restMs: number };

/** What a caller cares for most; each mode weighs the four terms of the score differently. */
export type RoutingMode = 'cheap' | 'normal' | 'high_confidence' | 'planning' | 'adversarial';

/** What a candidate is judged by. Each at least 0, and 0 where nothing is known. */
export interface Merits {
  /** Estimated, in nano-USD. */
  readonly cost: number;
  /** Time to the first token, in milliseconds. */
  readonly ttftMs: number;
  /** Share of failed requests, 0 to 1. */
  readonly errorRate: number;
  /** The model's capability, 0 to 10. */
  readonly weight: number;
}

/** The weighted terms of a score, each 0 to 1: `score = cost + latency + failure - capability`. */
export interface ScoreTerms {
  readonly cost: number;
  readonly latency: number;
  readonly failure: number;
  readonly capability: number;
}

/** How much each term counts in each mode; a mode's four add up to 1. */
export const MODE_WEIGHTS: Readonly<Record<RoutingMode, ScoreTerms>> = {
  cheap: { cost: 0.7, latency: 0.1, failure: 0.1, capability: 0.1 },
  normal: { cost: 0.25, latency: 0.25, failure: 0.25, capability: 0.25 },
  high_confidence: { cost: 0.05, latency: 0.1, failure: 0.15, capability: 0.7 },
  planning: { cost: 0.1, latency: 0.1, failure: 0.2, capability: 0.6 },
  adversarial: { cost: 0.1, latency: 0.1, failure: 0.2, capability: 0.6 },
};

/** The largest of each merit over all that are compared: what each is measured against. */
export function findMaxima(compared: readonly Merits[]): Merits {
  let [cost, ttftMs, errorRate, weight] = [0, 0, 0, 0];
  for (const merits of compared) {
    cost = Math.max(cost, merits.cost);
    ttftMs = Math.max(ttftMs, merits.ttftMs);
    errorRate = Math.max(errorRate, merits.errorRate);
    weight = Math.max(weight, merits.weight);
  }
  return { cost, ttftMs, errorRate, weight };
}

/** One candidate's terms; add them up with {@link sumTerms}. A merit whose maximum is 0 says nothing and counts 0. */
export function scoreTerms(merits: Merits, maxima: Merits, mode: RoutingMode): ScoreTerms {
  const weights = MODE_WEIGHTS[mode];
  return {
    cost: weights.cost * ratio(merits.cost, maxima.cost),
    latency: weights.latency * ratio(merits.ttftMs, maxima.ttftMs),
    failure: weights.failure * ratio(merits.errorRate, maxima.errorRate),
    capability: weights.capability * ratio(merits.weight, maxima.weight),
  };
}

/** The score of these terms, -1 to 1; lower is better. */
export function sumTerms({ cost, latency, failure, capability }: ScoreTerms): number {
  return cost + latency + failure - capability;
}

function ratio(value: number, maximum: number): number {
  return maximum === 0 ? 0 : value / maximum;
}

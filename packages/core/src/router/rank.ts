import { estimateCost } from '../cost/cost.ts';
import type { Candidate } from './candidate.ts';
import { type Demands, type ExclusionReason, findExclusion } from './eligible.ts';
import type { HealthReader } from './health.ts';
import { findMaxima, type Merits, type RoutingMode, scoreTerms, type ScoreTerms, sumTerms } from './score.ts';

/** A request as the router sees it: what it demands, how large it is, and what matters most. */
export interface RankRequest extends Demands {
  /** Expected output, in whole tokens. */
  readonly outputTokens: number;
  readonly mode: RoutingMode;
}

/** An eligible candidate with its score and everything the score was made from. */
export interface RankedCandidate {
  readonly candidate: Candidate;
  /** Lower is better. */
  readonly score: number;
  readonly terms: ScoreTerms;
  readonly estimatedCostNanoUsd: bigint;
  /** Average time to the first token; 0 when unknown. */
  readonly ttftMs: number;
  /** Share of failed requests in the last minute, 0 to 1. */
  readonly errorRate: number;
}

/** One that cannot serve, and why. */
export interface ExcludedCandidate {
  readonly candidate: Candidate;
  readonly reason: ExclusionReason;
  /** Milliseconds after which the reason may have passed by itself; absent when it does not. */
  readonly retryInMs?: number | undefined;
}

/** Everybody who may serve, best first, and everybody who may not. */
export interface Ranking {
  /** In the order in which they are tried. */
  readonly ranked: readonly RankedCandidate[];
  readonly excluded: readonly ExcludedCandidate[];
}

interface EligibleCandidate extends Merits {
  readonly candidate: Candidate;
  readonly estimatedCostNanoUsd: bigint;
}

/**
 * Decides who is tried for a request, and in which order: the named model first, then by score. A model's deployments
 * stay together at the place of the best of them, so that a failure costs the caller the model as late as possible.
 * Ties go to the lower cost, then to the id; the order of `candidates` has no influence.
 */
export function rank(candidates: readonly Candidate[], request: RankRequest, health: HealthReader): Ranking {
  const eligible: EligibleCandidate[] = [];
  const excluded: ExcludedCandidate[] = [];
  for (const candidate of candidates) {
    const lately = health.read(candidate.id);
    const { ttftMs, openMs, cooldownMs } = lately;
    const { weight, price } = candidate.model;
    const estimatedCostNanoUsd = estimateCost(request.inputTokens, request.outputTokens, price);
    const reason = findExclusion(candidate, request, {
      estimatedCostNanoUsd,
      credentialsRefused: candidate.provider.credential.ejectedForMs() > 0,
      unhealthy: openMs > 0,
      coolingDown: cooldownMs > 0,
    });
    if (reason !== undefined) {
      const passes = reason === 'unhealthy' || reason === 'cooling_down';
      excluded.push({ candidate, reason, retryInMs: passes ? Math.max(openMs, cooldownMs) : undefined });
      continue;
    }
    // Ranked by its failures, a deployment that may have recovered would never be asked whether it has.
    const errorRate = lately.breaker === 'half_open' ? 0 : lately.errorRate;
    const cost = Number(estimatedCostNanoUsd);
    eligible.push({ candidate, estimatedCostNanoUsd, cost, ttftMs, errorRate, weight });
  }

  const maxima = findMaxima(eligible);
  const scored = eligible.map((merits): RankedCandidate => {
    const { candidate, estimatedCostNanoUsd, ttftMs, errorRate } = merits;
    const terms = scoreTerms(merits, maxima, request.mode);
    return { candidate, score: sumTerms(terms), terms, estimatedCostNanoUsd, ttftMs, errorRate };
  });
  return { ranked: groupByModel(scored.toSorted(compare), request.model), excluded };
}

function compare(a: RankedCandidate, b: RankedCandidate): number {
  if (a.score !== b.score) return a.score - b.score;
  if (a.estimatedCostNanoUsd !== b.estimatedCostNanoUsd)
    return a.estimatedCostNanoUsd < b.estimatedCostNanoUsd ? -1 : 1;
  return a.candidate.id < b.candidate.id ? -1 : 1;
}

/** Brings each model's deployments together where the first of them stands, and the named model to the front. */
function groupByModel(sorted: readonly RankedCandidate[], named: string | undefined): readonly RankedCandidate[] {
  const places = new Map<string, number>();
  for (const { candidate } of sorted) {
    if (!places.has(candidate.model.id)) places.set(candidate.model.id, places.size);
  }
  if (named === undefined && places.size === sorted.length) return sorted;
  if (named !== undefined) places.set(named, -1);

  const placeOf = ({ candidate }: RankedCandidate) => places.get(candidate.model.id) ?? 0;
  // Sorting is stable: within a model the score's order remains.
  return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
}

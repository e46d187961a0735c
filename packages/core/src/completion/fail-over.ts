import { GatewayError, isGatewayError } from '../errors.ts';
import type { RankedCandidate } from '../router/rank.ts';
import type { Attempt } from './attempt.ts';
import { isTransient, nextTurn, type Turn } from './next-turn.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface FailOverOptions<Served> {
  /** Best first; not empty. */
  readonly ranked: readonly RankedCandidate[];
  readonly maxAttempts: number;
  /** May this one be asked now? One that may not is passed over, which is no attempt. */
  readonly admit: (candidate: RankedCandidate) => boolean | Promise<boolean>;
  /** Has it done well lately, as far as is known? An attempt at one that has not is taken out of the budget. */
  readonly doesWell: (candidate: RankedCandidate) => boolean;
  /** One try. @throws GatewayError what went wrong, before anything reached the caller. */
  readonly attempt: (candidate: RankedCandidate) => Promise<Served>;
  /** Hears of each try that failed, at once. */
  readonly onFailure: (attempt: Attempt) => void;
  /** Hears of one that asked to be left alone for so long and is. */
  readonly coolDown: (candidate: RankedCandidate, forMs: number) => void;
  /** What is left of the caller's time, in milliseconds; 0 or less when nobody else is to be tried. */
  readonly timeLeftMs: () => number;
  /** Waits. @throws whatever ends the request. */
  readonly pause: (ms: number) => Promise<void>;
  readonly budget: RetryBudget;
  /** Gives a number in [0, 1). */
  readonly random: () => number;
}

/**
 * Gives candidates their turns, best first, until one serves; who follows whom is decided by {@link nextTurn}.
 * @throws GatewayError of the last attempt, when none served.
 */
export async function failOver<Served>(options: FailOverOptions<Served>): Promise<Served> {
  const { maxAttempts, admit, doesWell, attempt, onFailure, coolDown, timeLeftMs, budget, random } = options;
  const failed = new Set<RankedCandidate>();
  let turn: Turn = { candidates: options.ranked, pauseMs: 0 };
  let transient: RankedCandidate | undefined;
  let last: GatewayError | undefined;
  let repeats = 0;
  budget.countRequest();
  for (let tries = 0; tries < maxAttempts;) {
    const [candidate, ...others] = turn.candidates;
    if (candidate === undefined) break;
    const isRepeated = failed.has(candidate);
    if (tries > 0 && (isRepeated || !doesWell(candidate)) && !budget.take()) break;
    if (turn.pauseMs > 0) await options.pause(turn.pauseMs);
    // Not awaited where nothing has to be waited for, which is nearly always.
    const admitted = admit(candidate);
    if (admitted !== true && !(await admitted)) {
      turn = { candidates: others, pauseMs: 0 };
      continue;
    }
    tries++;
    if (isRepeated) repeats++;
    try {
      return await attempt(candidate);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      last = error;
      failed.add(candidate);
      if (isTransient(error)) transient ??= candidate;
      else if (transient === candidate) transient = undefined;
      onFailure({ candidate, error, status: error.upstreamStatus });
      if (timeLeftMs() <= 0) break;
      turn = nextTurn({ failed: candidate, error, others, transient, repeats, timeLeftMs: timeLeftMs(), random });
      if (error.retryAfterMs !== undefined && turn.candidates[0] !== candidate) coolDown(candidate, error.retryAfterMs);
    }
  }
  throw last ?? new GatewayError('no_upstream', 'No model can serve this request now. Try again in a moment.');
}

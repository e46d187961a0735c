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
  /** How it has done lately: an attempt at one that fails is taken out of the budget, one that rests is not waited for. */
  readonly stateOf: (candidate: RankedCandidate) => 'well' | 'failing' | 'resting';
  /** One try; `hasOthers` when somebody else can still be asked. @throws GatewayError what went wrong, before anything reached the caller. */
  readonly attempt: (candidate: RankedCandidate, hasOthers: boolean) => Promise<Served>;
  /** Hears of each try that failed, at once. */
  readonly onFailure: (attempt: Attempt) => void;
  /** Hears of a try that ended by a mistake of ours. */
  readonly onMistake: (candidate: RankedCandidate) => void;
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
  const { maxAttempts, admit, stateOf, attempt, budget } = options;
  const failed = new Set<RankedCandidate>();
  let turn: Turn = { candidates: options.ranked, pauseMs: 0 };
  let transient: RankedCandidate | undefined;
  let last: GatewayError | undefined;
  let tries = 0;
  let repeats = 0;
  budget.countRequest();
  while (tries < maxAttempts) {
    const [candidate, ...others] = turn.candidates;
    if (candidate === undefined) break;
    const { pauseMs } = turn;
    // Whatever keeps this one from its turn, the others have theirs.
    turn = { candidates: others, pauseMs: 0 };
    const isRepeated = failed.has(candidate);
    const state = tries === 0 ? 'well' : stateOf(candidate);
    if (isRepeated && state === 'resting') continue;
    if ((isRepeated || state === 'failing') && !budget.take()) continue;
    if (pauseMs > 0) await options.pause(pauseMs);
    // Not awaited where nothing has to be waited for, which is nearly always.
    const admitted = admit(candidate);
    if (admitted !== true && !(await admitted)) continue;
    tries++;
    if (isRepeated) repeats++;
    try {
      return await attempt(candidate, others.length > 0 && tries < maxAttempts);
    } catch (error) {
      if (!isGatewayError(error)) {
        options.onMistake(candidate);
        throw error;
      }
      last = error;
      failed.add(candidate);
      if (isTransient(error)) transient ??= candidate;
      else if (transient === candidate) transient = undefined;
      options.onFailure({ candidate, error, status: error.upstreamStatus });
      const timeLeftMs = options.timeLeftMs();
      if (timeLeftMs > 0) {
        const { random } = options;
        turn = nextTurn({ failed: candidate, error, others, transient, repeats, timeLeftMs, random });
      } else turn = { candidates: [], pauseMs: 0 };
      const isWaitedFor = turn.candidates[0] === candidate && tries < maxAttempts;
      if (error.retryAfterMs !== undefined && error.facts.failover === 'next' && !isWaitedFor)
        options.coolDown(candidate, error.retryAfterMs);
    }
  }
  throw last ?? new GatewayError('no_upstream', 'No model can serve this request now. Try again in a moment.');
}

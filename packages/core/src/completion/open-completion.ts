import type { ChatRequest } from '../chat/chat-request.ts';
import type { Bill } from '../cost/bill.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { endpointFor } from '../providers/provider.ts';
import type { Health } from '../router/health.ts';
import type { RankedCandidate } from '../router/rank.ts';
import type { Attempt } from './attempt.ts';
import { failOver } from './fail-over.ts';
import { fetchAnswer, type CompleteAnswer } from './fetch-answer.ts';
import { openStream, type OpenStream } from './open-stream.ts';
import { pause } from './pause.ts';
import { UNLIMITED_RETRIES, type RetryBudget } from './retry-budget.ts';

/** What is asked of whom, on whose terms. */
export interface OpenCompletionOptions {
  readonly request: ChatRequest;
  /** The candidates in the order in which they get their turn; not empty. */
  readonly ranked: readonly RankedCandidate[];
  /** Names the request to providers and in answers written by us. */
  readonly requestId: string;
  /** What the caller reads; `native` leaves each provider's own dialect as it is. */
  readonly answerDialect: Dialect | 'native';
  /** What a provider's dialect has no words for is left out of the request; absent: that provider refuses it. */
  readonly dropsLosses?: boolean | undefined;
  /** At most so many attempts are made, whoever they go to. */
  readonly maxAttempts: number;
  /** The process's; absent: attempts are bounded by `maxAttempts` alone. */
  readonly retryBudget?: RetryBudget | undefined;
  /** Longest wait for the commit point, failover included, in milliseconds; absent for no limit beyond the providers' own. */
  readonly maxLatencyMs?: number | undefined;
  /** Ends everything at once, in any phase. Its reason is what callers get as error. */
  readonly signal: AbortSignal;
  readonly bill: Bill;
  readonly health: Health;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Gives a number in [0, 1). @defaultValue `Math.random` */
  readonly random?: (() => number) | undefined;
  /** Hears of each attempt that failed, at once; also when the completion as a whole fails later. */
  readonly onFailedAttempt: (attempt: Attempt) => void;
}

/** An answer that has begun (streamed) or is whole (not streamed): the provider is decided and will not change any more. */
export type Completion = OpenStream | CompleteAnswer;

/** A deployment of which so many requests failed in the last minute is not what one fails over to without limit. */
const FAILING_SHARE = 0.5;
/** How long one probe keeps others back: a provider that heals while one waits for its silence must not wait for it too. */
const PROBE_MS = 10_000;

/**
 * Tries candidates in their order up to the commit point: the first valid content event of a stream, or a whole valid
 * answer. Everything that fails before it is recovered as {@link nextTurn} says; nothing after it is.
 *
 * Whoever gets a stream must iterate its `output` to the end or abort the signal.
 * @throws GatewayError of the last attempt when no candidate served, or the signal's reason.
 */
export function openCompletion(options: OpenCompletionOptions): Promise<Completion> {
  const attempt = options.request.stream ? openStream : fetchAnswer;
  const { signal, now, health, maxLatencyMs = Infinity } = options;
  const deadline = now() + maxLatencyMs;
  /** Of the attempt under way: when it began, and when the caller's time, or its share of it, is up. */
  let sentAt = 0;
  let endsAt = deadline;
  // Timers may fire a little before their time.
  const isUp = (end: number): boolean => signal.aborted || now() >= end - 1;
  return failOver<Completion>({
    ranked: options.ranked,
    maxAttempts: options.maxAttempts,
    admit: ({ candidate }) => health.admit(candidate.id, PROBE_MS),
    stateOf: ({ candidate }) => {
      const { openMs, errorRate } = health.read(candidate.id);
      if (openMs > 0) return 'resting';
      return errorRate < FAILING_SHARE ? 'well' : 'failing';
    },
    attempt: (candidate, hasOthers) => {
      sentAt = now();
      // One that keeps silent must leave the others something of the caller's time.
      endsAt = hasOthers ? sentAt + (deadline - sentAt) / 2 : deadline;
      return attempt(candidate, options, endsAt);
    },
    timeLeftMs: () => (isUp(deadline) ? 0 : deadline - now()),
    pause: (ms) => pause(ms, signal),
    budget: options.retryBudget ?? UNLIMITED_RETRIES,
    random: options.random ?? Math.random,
    coolDown: ({ candidate }, forMs) => health.coolDown(candidate.id, forMs),
    onFailure: (failed) => {
      const { id } = failed.candidate.candidate;
      // A caller that leaves or has no more time blames nobody, nor does a request that the provider refuses.
      const isFault = failed.error.facts.blamesProvider && !isRefusal(failed) && !isMissingApi(failed, options.request);
      if (isFault && !isUp(endsAt)) health.recordFailure(id, { sentAt, isBroken: false });
      else health.recordNothing(id, sentAt, waitedInVain(failed, now() - sentAt));
      options.onFailedAttempt(failed);
    },
    onMistake: ({ candidate }) => health.recordNothing(candidate.id, sentAt),
  });
}

/**
 * How long an attempt was waited for in vain, in milliseconds; 0 when it was not. A caller that leaves has waited in vain
 * when it was for longer than a stream may keep silent: before that it says nothing about the provider.
 */
function waitedInVain({ candidate, error }: Attempt, tookMs: number): number {
  const { firstEventMs } = candidate.candidate.provider.timeouts;
  const isVain = error.code === 'client_cancelled' ? tookMs > firstEventMs : error.code === 'upstream_timeout';
  return isVain ? tookMs : 0;
}

/** A server that lacks one of its APIs serves the others all the same, and every caller could ask it for that one. */
function isMissingApi({ status, candidate }: Attempt, { source }: ChatRequest): boolean {
  const { provider } = candidate.candidate;
  return status === 404 && endpointFor(provider, source.dialect) !== provider.endpoints[0];
}

/** Statuses that a caller can bring about whose request quotes the right words. */
function isRefusal({ status }: Attempt): boolean {
  return status === 400 || status === 413 || status === 422;
}

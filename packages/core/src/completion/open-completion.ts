import type { ChatRequest } from '../chat/chat-request.ts';
import type { Bill } from '../cost/bill.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { Health } from '../router/health.ts';
import type { RankedCandidate } from '../router/rank.ts';
import type { Attempt } from './attempt.ts';
import { failOver } from './fail-over.ts';
import { fetchAnswer, type CompleteAnswer } from './fetch-answer.ts';
import { openStream, type OpenStream } from './open-stream.ts';

/** What is asked of whom, on whose terms. */
export interface OpenCompletionOptions {
  readonly request: ChatRequest;
  /** The candidates in the order in which they get their turn; not empty. */
  readonly ranked: readonly RankedCandidate[];
  /** Names the request to providers and in answers written by us. */
  readonly requestId: string;
  /** What the caller reads; `native` leaves each provider's own dialect as it is. */
  readonly answerDialect: Dialect | 'native';
  /** At most so many candidates are tried. */
  readonly maxAttempts: number;
  /** Longest wait for the commit point, failover included, in milliseconds; absent for no limit beyond the providers' own. */
  readonly maxLatencyMs?: number | undefined;
  /** Ends everything at once, in any phase. Its reason is what callers get as error. */
  readonly signal: AbortSignal;
  readonly bill: Bill;
  readonly health: Health;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Hears of each attempt that failed, at once; also when the completion as a whole fails later. */
  readonly onFailedAttempt: (attempt: Attempt) => void;
}

/** An answer that has begun (streamed) or is whole (not streamed): the provider is decided and will not change any more. */
export type Completion = OpenStream | CompleteAnswer;

/**
 * Tries candidates in their order up to the commit point: the first valid content event of a stream, or a whole valid
 * answer. Everything that fails before it moves on to the next candidate; nothing after it does.
 *
 * Whoever gets a stream must iterate its `output` to the end or abort the signal.
 * @throws GatewayError of the last attempt when no candidate served, or the signal's reason.
 */
export function openCompletion(options: OpenCompletionOptions): Promise<Completion> {
  const attempt = options.request.stream ? openStream : fetchAnswer;
  const { signal, now, health, maxLatencyMs = Infinity } = options;
  const deadline = now() + maxLatencyMs;
  // Timers may fire a little before their time.
  const isOver = (): boolean => signal.aborted || now() >= deadline - 1;
  return failOver<Completion>({
    ranked: options.ranked,
    maxAttempts: options.maxAttempts,
    attempt: (candidate) => attempt(candidate, options, deadline),
    mayGoOn: () => !isOver(),
    onFailure: (failed) => {
      // A caller that leaves or has no more time says nothing about the provider.
      const blamed = failed.error.facts.blamesProvider && !isOver();
      if (blamed) health.recordFailure(failed.candidate.candidate.id);
      options.onFailedAttempt(failed);
    },
  });
}

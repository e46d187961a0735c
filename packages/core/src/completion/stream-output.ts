import { GatewayError, isGatewayError } from '../errors.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import type { Candidate } from '../router/candidate.ts';
import type { OpenCompletionOptions } from './open-completion.ts';
import type { Output, StreamConverter } from './stream-converter.ts';

/** A provider's stream that has reached its commit point. */
export interface CommittedStream {
  /** What is left of the body. */
  readonly source: AsyncIterator<Uint8Array>;
  readonly converter: StreamConverter;
  readonly answer: HttpAnswer;
  readonly candidate: Candidate;
  readonly options: Pick<OpenCompletionOptions, 'health' | 'now' | 'signal'>;
  /** When the request was sent, by `options.now`. */
  readonly sentAt: number;
}

const END = { value: undefined, done: true } as const;

/**
 * What a caller reads of a stream after its commit point. Ends well only when the answer is whole.
 * An iterator by hand, since a generator would cost one promise more per read.
 */
export class StreamOutput implements AsyncIterator<Output, undefined> {
  readonly #held: Output[];
  readonly #stream: CommittedStream;
  readonly #committedAt: number;
  readonly #tokensAtCommit: number;
  #over = false;
  /** It took longer than we let streams take, which is no fault of its provider. */
  #isTooLong = false;
  /** Output tokens when last looked at, and since when there have been no more. */
  #tokens: number;
  #progressAt: number;

  /** @param held what came before the commit point. */
  constructor(held: Output[], stream: CommittedStream) {
    this.#held = held;
    this.#stream = stream;
    this.#committedAt = this.#progressAt = stream.options.now();
    this.#tokensAtCommit = this.#tokens = stream.converter.facts.countedTokens;
  }

  async next(): Promise<IteratorResult<Output, undefined>> {
    const ready = this.#held.shift();
    if (ready !== undefined) return { value: ready, done: false };
    const { source, converter } = this.#stream;
    try {
      while (!this.#over) {
        const { facts } = converter;
        if (facts.error !== undefined) throw facts.error;
        if (facts.terminated) return this.#complete();
        const { value, done } = await source.next();
        if (done === true) {
          if (facts.finished) return this.#complete();
          throw new GatewayError('upstream_protocol', 'The provider ended its stream in the middle of the answer.');
        }
        const output = converter.push(value);
        this.#checkProgress();
        if (output.length > 0) return { value: output, done: false };
      }
      return END;
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** A reader that stops early has left; whoever aborts the signal says why. */
  return(): Promise<IteratorResult<Output, undefined>> {
    this.#over = true;
    this.#stream.answer.abort(new GatewayError('client_cancelled', 'The reader stopped.'));
    return Promise.resolve(END);
  }

  /** Silence ends in the HTTP client; this is for a provider that keeps sending, but no answer. */
  #checkProgress(): void {
    const { candidate, converter, options, sentAt } = this.#stream;
    const { progressMs, totalMs = Infinity } = candidate.provider.timeouts;
    const now = options.now();
    const tokens = converter.facts.countedTokens;
    if (tokens > this.#tokens) {
      this.#tokens = tokens;
      this.#progressAt = now;
    } else if (now - this.#progressAt > progressMs) {
      throw new GatewayError('upstream_timeout', 'The provider kept its stream open without going on with the answer.');
    }
    this.#isTooLong = now - sentAt > totalMs;
    if (this.#isTooLong)
      throw new GatewayError('upstream_timeout', 'The answer took longer than a stream of this provider may.');
  }

  #complete(): IteratorResult<Output, undefined> {
    this.#over = true;
    const { answer, options, candidate, converter } = this.#stream;
    answer.discard();
    const tokens = converter.facts.countedTokens - this.#tokensAtCommit;
    const msPerToken = tokens > 0 ? (options.now() - this.#committedAt) / tokens : undefined;
    options.health.recordSuccess(candidate.id, msPerToken);
    return END;
  }

  #fail(error: unknown): IteratorResult<Output, undefined> {
    const { answer, options, candidate, converter, sentAt } = this.#stream;
    // With its finish reason an answer is whole, however its connection ends.
    const cancelled = options.signal.aborted;
    if (!cancelled && converter.facts.finished && converter.facts.error === undefined) return this.#complete();
    this.#over = true;
    answer.abort(error instanceof Error ? error : new Error('the stream failed', { cause: error }));
    const isFault = !cancelled && !this.#isTooLong && isGatewayError(error) && error.facts.blamesProvider;
    if (isFault) options.health.recordFailure(candidate.id, { sentAt, isBroken: true });
    throw error;
  }
}

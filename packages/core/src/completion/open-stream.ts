import type { Loss } from '../chat/chat-request.ts';
import type { Receipt } from '../cost/receipt.ts';
import type { Dialect, StreamFacts } from '../dialects/dialect.ts';
import type { Quirks } from '../dialects/quirks.ts';
import { GatewayError } from '../errors.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { askProvider } from './ask-provider.ts';
import type { OpenCompletionOptions } from './open-completion.ts';
import { createRelay } from './relay.ts';
import type { Output, StreamConverter } from './stream-converter.ts';
import { StreamOutput } from './stream-output.ts';
import { createTranslator } from './translate.ts';

/** Most bytes held back while waiting for the first content event. */
const MAX_HELD_BYTES = 256 * 1024;

/** A stream past its commit point. */
export interface OpenStream {
  readonly streamed: true;
  readonly served: RankedCandidate;
  /** What the caller reads. */
  readonly dialect: Dialect;
  /** What of the request the provider was not asked for. */
  readonly losses: readonly Loss[];
  readonly facts: StreamFacts;
  /**
   * The caller's bytes up to, but without, the terminator; what came before the commit point first. Iterate it once.
   * A normal end means a complete answer. @throws GatewayError what went wrong after the commit point, or the signal's reason.
   */
  readonly output: AsyncIterable<Output>;
  /** The bill by what is known now. */
  receipt(complete: boolean): Receipt;
  /** The events that end a good stream, terminator included. */
  end(receipt: Receipt): string;
  /** The event that ends a stream which has failed, in `dialect`. */
  fail(error: GatewayError): string;
}

/** One try at opening a stream: until the first valid content event has come. */
export async function openStream(
  ranked: RankedCandidate,
  options: OpenCompletionOptions,
  deadline: number,
): Promise<OpenStream> {
  const { candidate } = ranked;
  const sentAt = options.now();
  const { answer, dialect: spoken, losses, quirks, sentBytes, alarm } = await askProvider(ranked, options, deadline);
  try {
    const dialect = options.answerDialect === 'native' ? spoken : options.answerDialect;
    const converter = createConverter(ranked, { spoken, dialect, quirks }, options);
    checkEventStream(answer);
    const source = answer.body[Symbol.asyncIterator]();
    const { health, now, signal } = options;
    const held = await readToCommitPoint(source, converter, {
      // Some begin by repeating the request, more than once.
      maxHeldBytes: MAX_HELD_BYTES + 3 * sentBytes,
      // Set once, so that pings gain it nothing.
      onThinking: () => alarm.set(Math.min(now() + candidate.provider.timeouts.progressMs, deadline)),
    });
    health.recordFirstToken(candidate.id, now() - sentAt);
    const stream = { source, converter, answer, candidate, options: { health, now, signal }, sentAt };
    return {
      streamed: true,
      served: ranked,
      dialect,
      losses,
      facts: converter.facts,
      output: { [Symbol.asyncIterator]: () => new StreamOutput(held, stream) },
      receipt: (complete) => options.bill(candidate.model, { ...used(converter.facts), complete }),
      end: (receipt) => converter.end(receipt),
      fail: (error) => converter.fail(error, options.requestId),
    };
  } catch (error) {
    answer.abort(error instanceof Error ? error : new Error('the attempt failed', { cause: error }));
    throw error;
  } finally {
    alarm.stop();
  }
}

function createConverter(
  { candidate }: RankedCandidate,
  { spoken, dialect, quirks }: { spoken: Dialect; dialect: Dialect; quirks: Quirks | undefined },
  options: OpenCompletionOptions,
): StreamConverter {
  const { request, requestId, bill } = options;
  const streamOptions = {
    includeUsage: request.includeUsage,
    choices: request.choices,
    quirks,
    price: (usage: StreamFacts['usage'], countedTokens: number) =>
      bill(candidate.model, { usage, countedTokens, complete: true }),
  };
  if (spoken === dialect) return createRelay(dialect, streamOptions);
  const identity = { requestId, model: candidate.model.id, created: Math.floor(Date.now() / 1000), request };
  return createTranslator({ from: spoken, to: dialect }, identity, streamOptions);
}

function checkEventStream(answer: HttpAnswer): void {
  const type = answer.headers['content-type'] ?? '';
  // A missing type is let pass: what counts is that valid events follow.
  if (type !== '' && !type.toLowerCase().startsWith('text/event-stream')) {
    throw new GatewayError('upstream_protocol', 'The provider answered with something other than an event stream.', {
      upstreamStatus: answer.status,
    });
  }
}

async function readToCommitPoint(
  source: AsyncIterator<Uint8Array>,
  converter: StreamConverter,
  { maxHeldBytes, onThinking }: { maxHeldBytes: number; onThinking: () => void },
): Promise<Output[]> {
  const { facts } = converter;
  const held: Output[] = [];
  let heldBytes = 0;
  let isThinking = false;
  for (;;) {
    const { value, done } = await source.next();
    if (done === true) {
      throw new GatewayError('upstream_protocol', 'The provider ended its stream without an answer.');
    }
    const output = converter.push(value);
    if (facts.error !== undefined && !facts.started) throw facts.error;
    if (output.length > 0) held.push(output);
    if (facts.started) return held;
    if (facts.thinking === true && !isThinking) {
      isThinking = true;
      onThinking();
    }
    heldBytes += value.length;
    if (facts.terminated)
      throw new GatewayError('upstream_protocol', 'The provider ended its stream without an answer.');
    if (heldBytes > maxHeldBytes)
      throw new GatewayError('upstream_protocol', 'The provider sent too much before its answer.');
  }
}

function used(facts: StreamFacts): { usage: StreamFacts['usage']; countedTokens: number } {
  return { usage: facts.usage, countedTokens: facts.countedTokens };
}

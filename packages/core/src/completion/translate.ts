import type { FinishReason, StreamPart } from '../chat/stream-part.ts';
import type { ReportedUsage } from '../chat/usage.ts';
import type { AnswerIdentity, Dialect, StreamFacts, StreamOptions, StreamReader } from '../dialects/dialect.ts';
import { isGatewayError, type GatewayError } from '../errors.ts';
import { createSseParser } from '../sse/parse-sse.ts';
import { utf8Length } from '../text/utf8-length.ts';
import type { StreamConverter } from './stream-converter.ts';

/** What of two dialects translating needs. */
interface TranslatedDialects {
  readonly from: Pick<Dialect, 'createStreamReader' | 'streamLimits'>;
  readonly to: Pick<Dialect, 'createStreamWriter' | 'writeStreamError'>;
}

/** The converter for two dialects: the provider's reader feeds the caller's writer with neutral parts. */
export function createTranslator(
  { from, to }: TranslatedDialects,
  identity: AnswerIdentity,
  options: StreamOptions,
): StreamConverter {
  const reader = from.createStreamReader();
  const writer = to.createStreamWriter(identity, options);
  const facts = new PartFacts(reader, options.choices);
  let out = '';
  const onPart = (part: StreamPart): void => {
    if (facts.terminated || facts.error !== undefined) return;
    // More answers than were asked for have no place in a format that knows one.
    if ('choice' in part && part.choice >= options.choices) return;
    facts.note(part);
    if (part.type !== 'error' && part.type !== 'done') out += writer.write(part);
  };
  const parser = createSseParser({
    ...from.streamLimits,
    onEvent: ({ event, data }) => reader.read(event, data, onPart),
  });
  return {
    facts,
    push(chunk) {
      try {
        parser.push(chunk);
      } catch (error) {
        if (!isGatewayError(error)) throw error;
        // What came before it in the same chunk still goes out.
        facts.error ??= error;
      }
      const ready = out;
      out = '';
      return ready;
    },
    end: (receipt) => writer.end(receipt),
    fail: (error, requestId) => to.writeStreamError(error, requestId, writer.sequence),
  };
}

/** What a stream of parts has said so far. */
class PartFacts implements StreamFacts {
  started = false;
  terminated = false;
  finishReason: FinishReason | undefined;
  usage: ReportedUsage | undefined;
  error: GatewayError | undefined;
  readonly #reader: StreamReader;
  readonly #choices: number;
  readonly #finishedChoices = new Set<number>();
  #contentParts = 0;
  #textBytes = 0;

  constructor(reader: StreamReader, choices: number) {
    this.#reader = reader;
    this.#choices = choices;
  }

  get thinking(): boolean | undefined {
    return this.#reader.thinking;
  }

  get finished(): boolean {
    return this.#finishedChoices.size >= this.#choices;
  }

  get countedTokens(): number {
    return Math.max(this.#contentParts, Math.ceil(this.#textBytes / 4));
  }

  note(part: StreamPart): void {
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
        this.#content(part.text);
        break;
      case 'tool-call-delta':
        this.started = true;
        this.#content(part.arguments);
        break;
      case 'redacted-reasoning':
      case 'reasoning-signature':
        this.started = true;
        break;
      case 'finish':
        this.started = true;
        this.#finishedChoices.add(part.choice);
        if (part.choice === 0) this.finishReason ??= part.reason;
        break;
      case 'usage':
        this.usage = part.usage;
        break;
      case 'done':
        this.terminated = true;
        break;
      case 'error':
        this.error = part.error;
        break;
      case 'start':
      case 'logprobs':
      case 'citation':
        break;
    }
  }

  #content(text: string): void {
    if (text === '') return;
    this.started = true;
    this.#contentParts++;
    this.#textBytes += utf8Length(text);
  }
}

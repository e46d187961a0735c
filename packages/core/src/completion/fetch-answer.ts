import type { Loss } from '../chat/chat-request.ts';
import type { JsonObject } from '../chat/json.ts';
import type { StreamPart } from '../chat/stream-part.ts';
import type { Receipt } from '../cost/receipt.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { GatewayError } from '../errors.ts';
import { parseExactJsonObject } from '../json/parse-json-object.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { utf8Length } from '../text/utf8-length.ts';
import { askProvider } from './ask-provider.ts';
import type { OpenCompletionOptions } from './open-completion.ts';

/** Longest answer that is not streamed, unless its dialect says otherwise. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Keeps nothing between two calls, so one serves all. */
const decoder = new TextDecoder('utf-8', { fatal: true });

/** A whole answer. */
export interface CompleteAnswer {
  readonly streamed: false;
  readonly served: RankedCandidate;
  /** What `body` is written in. */
  readonly dialect: Dialect;
  /** What of the request the provider was not asked for. */
  readonly losses: readonly Loss[];
  /** The answer as JSON text, its `usage` with our exact cost; the provider's own text where both sides speak one dialect. */
  readonly body: string;
  readonly receipt: Receipt;
}

/** One try at a whole answer. */
export async function fetchAnswer(
  ranked: RankedCandidate,
  options: OpenCompletionOptions,
  deadline: number,
): Promise<CompleteAnswer> {
  const { candidate } = ranked;
  const { bill, requestId, health } = options;
  const sentAt = options.now();
  const { answer, dialect: spoken, losses, quirks, alarm } = await askProvider(ranked, options, deadline);
  try {
    const text = await readWhole(answer, spoken.maxAnswerBytes ?? MAX_ANSWER_BYTES);
    const parts = spoken.readAnswer(parseAnswer(text, answer.status));
    const receipt = bill(candidate.model, { ...summarise(parts), complete: true });
    const dialect = options.answerDialect === 'native' ? spoken : options.answerDialect;
    const created = Math.floor(Date.now() / 1000);
    const identity = { requestId, model: candidate.model.id, created, request: options.request };
    const body =
      dialect === spoken
        ? dialect.patchAnswer(text, receipt, quirks)
        : dialect.writeAnswer(
            // More answers than were asked for have no place in a format that knows one.
            parts.filter((part) => !('choice' in part) || part.choice < options.request.choices),
            identity,
            receipt,
          );
    // The whole answer is its first token: what a caller waits for.
    health.recordFirstToken(candidate.id, options.now() - sentAt);
    health.recordSuccess(candidate.id);
    return { streamed: false, served: ranked, dialect, losses, body, receipt };
  } finally {
    alarm.stop();
  }
}

async function readWhole(answer: HttpAnswer, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw new GatewayError('upstream_protocol', 'The answer of the provider is too long.');
  }
  const [only] = chunks;
  try {
    // Most answers come in one read.
    if (only !== undefined && chunks.length === 1) return decoder.decode(only);
    const streaming = new TextDecoder('utf-8', { fatal: true });
    return chunks.map((chunk) => streaming.decode(chunk, { stream: true })).join('') + streaming.decode();
  } catch (error) {
    throw new GatewayError('upstream_protocol', 'The answer of the provider is not valid UTF-8.', { cause: error });
  }
}

function parseAnswer(text: string, status: number): JsonObject {
  const answer = parseExactJsonObject(text);
  if (answer !== undefined) return answer;
  throw new GatewayError('upstream_protocol', 'The answer of the provider is not a JSON object.', {
    upstreamStatus: status,
  });
}

function summarise(parts: readonly StreamPart[]): {
  usage: (StreamPart & { type: 'usage' })['usage'] | undefined;
  countedTokens: number;
} {
  let usage;
  let textBytes = 0;
  for (const part of parts) {
    if (part.type === 'usage') usage = part.usage;
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta' || part.type === 'reasoning-delta' || part.type === 'refusal-delta')
      textBytes += utf8Length(part.text);
    if (part.type === 'tool-call-delta') textBytes += utf8Length(part.arguments);
  }
  return { usage, countedTokens: Math.ceil(textBytes / 4) };
}

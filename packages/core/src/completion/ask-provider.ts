import type { Loss } from '../chat/chat-request.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { Quirks } from '../dialects/quirks.ts';
import { GatewayError } from '../errors.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import { endpointFor } from '../providers/provider.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { createAlarm, type Alarm } from './alarm.ts';
import type { OpenCompletionOptions } from './open-completion.ts';
import { sendRequest } from './send-request.ts';
import { whyLost, writeFor } from './write-for.ts';

/** Longest part of an error answer that is read to find out what it means. */
const MAX_ERROR_BYTES = 64 * 1024;

/** A provider's good answer, whose headers are there. */
export interface Asked {
  readonly answer: HttpAnswer;
  /** What it is written in. */
  readonly dialect: Dialect;
  /** What the provider was not asked for. */
  readonly losses: readonly Loss[];
  /** What of the answer is to be put right; none where the caller reads the provider's own format, with all that is odd in it. */
  readonly quirks: Quirks | undefined;
  /** Of the request as it was sent. */
  readonly sentBytes: number;
  /** Ends it if the commit point takes too long; to be stopped there, or when the attempt has failed. */
  readonly alarm: Alarm;
}

/**
 * Sends the request in the provider's dialect and waits for a good answer's headers.
 * @param deadline when the caller's own time is up, by `options.now`.
 * @throws GatewayError what an answer other than 2xx means, `unsupported_parameter`, or as `Provider.open`.
 */
export async function askProvider(
  { candidate }: RankedCandidate,
  options: OpenCompletionOptions,
  deadline: number,
): Promise<Asked> {
  const { request, requestId, signal, now } = options;
  const { provider } = candidate;
  const endpoint = endpointFor(provider, request.source.dialect);
  const { dialect } = endpoint;
  const { body, losses } = writeFor(candidate, request);
  const lost = options.dropsLosses === true ? undefined : whyLost(losses);
  if (lost !== undefined) throw lost;

  const { firstEventMs, wholeAnswerMs } = provider.timeouts;
  const endsAt = Math.min(now() + (request.stream ? firstEventMs : wholeAnswerMs), deadline);
  // Of a whole answer nothing may come until all of it does.
  const idleTimeoutMs = request.stream ? undefined : wholeAnswerMs;
  const betas = dialect.name === request.source.dialect ? request.source.betas : undefined;
  const text = JSON.stringify(body);
  const call = { endpoint, body: text, requestId, betas, signal, idleTimeoutMs, now, endsAt };
  const answer = await sendRequest(provider, call);
  const isGood = answer.status >= 200 && answer.status < 300;
  if (isGood) refuseCompressed(answer);
  const alarm = createAlarm(answer, now);
  // An error is no work that takes long, and its status says most of it.
  alarm.set(isGood ? endsAt : Math.min(endsAt, now() + firstEventMs));
  const quirks = options.answerDialect === 'native' ? undefined : provider.quirks;
  if (isGood) return { answer, dialect, losses, quirks, sentBytes: text.length, alarm };
  try {
    const said = await readText(answer, MAX_ERROR_BYTES);
    signal.throwIfAborted();
    const { status, headers } = answer;
    throw dialect.readError({ status, headers, body: said, request: request.source.body });
  } finally {
    alarm.stop();
  }
}

/** Bytes are relayed as they come, and what compressed ones inflate to has no bound. @throws GatewayError `upstream_protocol` */
function refuseCompressed(answer: HttpAnswer): void {
  const { 'content-encoding': encoding = 'identity' } = answer.headers;
  if (encoding === 'identity') return;
  const message = 'The provider compressed its answer though it was asked not to.';
  const error = new GatewayError('upstream_protocol', message, { upstreamStatus: answer.status });
  answer.abort(error);
  throw error;
}

/**
 * The first bytes of an answer as text; what is longer than `maxBytes` is cut off.
 * A body that breaks off gives what came before.
 */
async function readText(answer: HttpAnswer, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  try {
    for await (const chunk of answer.body) {
      text += decoder.decode(chunk.subarray(0, maxBytes - length), { stream: true });
      length += chunk.length;
      if (length >= maxBytes) break;
    }
  } catch {
    // The status alone says enough.
  }
  return text;
}

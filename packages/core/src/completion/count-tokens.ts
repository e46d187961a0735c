import type { ChatRequest } from '../chat/chat-request.ts';
import { estimateInput } from '../cost/estimate-tokens.ts';
import { isGatewayError } from '../errors.ts';
import { parseJsonObject } from '../json/parse-json-object.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import { endpointFor } from '../providers/provider.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { createAlarm } from './alarm.ts';
import { sendRequest } from './send-request.ts';

/** Longest answer that is read. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Longest wait for a provider, in milliseconds: a rough count at once is worth more than an exact one later. */
const PATIENCE_MS = 10_000;

/** What a count of tokens is asked with. */
export interface CountTokensOptions {
  readonly request: ChatRequest;
  /** Best first. */
  readonly ranked: readonly RankedCandidate[];
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** How many tokens a request's input has. */
export interface TokenCount {
  readonly tokens: number;
  /** Nobody could be asked, so it is a token for each four bytes. */
  readonly isEstimated: boolean;
}

/**
 * Asks the best candidate's provider how many tokens a request has; estimates where it has no route for that or does not
 * answer well.
 * @throws the signal's reason; GatewayError `upstream_rejected` for a request that the provider refuses.
 */
export async function countTokens(options: CountTokensOptions): Promise<TokenCount> {
  const { request, ranked, signal, now } = options;
  for (const { candidate } of ranked) {
    const endpoint = endpointFor(candidate.provider, request.source.dialect);
    const { dialect, countTokens: open } = endpoint;
    if (open === undefined || dialect.name !== request.source.dialect) break;
    const {
      max_tokens: _maxTokens,
      stream: _stream,
      ...body
    } = dialect.patchRequest(request, {
      model: candidate.upstreamModel,
    });
    const endsAt = now() + PATIENCE_MS;
    try {
      const answer = await sendRequest(candidate.provider, {
        endpoint: { dialect, open },
        body: JSON.stringify(body),
        requestId: options.requestId,
        betas: request.source.betas,
        signal,
        now,
        endsAt,
      });
      const alarm = createAlarm(answer, now);
      alarm.set(endsAt);
      const text = await readText(answer).finally(() => alarm.stop());
      if (answer.status === 200) {
        const tokens = parseJsonObject(text)?.['input_tokens'];
        if (typeof tokens === 'number') return { tokens, isEstimated: false };
      } else {
        const error = dialect.readError({ status: answer.status, headers: answer.headers, body: text });
        if (error.facts.failover === 'no') throw error;
      }
    } catch (error) {
      if (signal.aborted || !isGatewayError(error) || error.facts.failover === 'no') throw error;
    }
  }
  return { tokens: estimateInput(request).likely, isEstimated: true };
}

async function readText(answer: HttpAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const chunk of answer.body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

import { GatewayError } from '../errors.ts';
import type { HttpAnswer } from '../providers/http-client.ts';
import type { Endpoint, Provider, ProviderCall } from '../providers/provider.ts';

export interface SendRequestOptions extends Pick<
  ProviderCall,
  'body' | 'requestId' | 'betas' | 'signal' | 'idleTimeoutMs'
> {
  readonly endpoint: Endpoint;
  readonly now: () => number;
  /** When an answer must have begun, by `now`; what is sent again gets what is left of it. */
  readonly endsAt: number;
}

/**
 * Sends a request with the provider's credential. When the provider answers 401 the credential is refreshed, once for all
 * requests that wait, and the request is sent again, once: nothing of the first answer has been looked at. A second 401
 * ejects the credential and is given as it is.
 * @throws GatewayError `upstream_auth` when the credential cannot be read, `upstream_timeout`, or as `Endpoint.open`.
 */
export async function sendRequest(provider: Provider, options: SendRequestOptions): Promise<HttpAnswer> {
  const { credential } = provider;
  const { endpoint, body, requestId, betas, signal, idleTimeoutMs } = options;
  const send = (secret: ProviderCall['secret']): Promise<HttpAnswer> =>
    endpoint.open({ secret, body, requestId, betas, signal, headersTimeoutMs: timeLeft(options), idleTimeoutMs });

  const secret = credential.secret ?? (await waitFor(credential.load(), options));
  const answer = await send(secret);
  if (answer.status !== 401) return answer;
  answer.discard();
  const refreshed = await waitFor(credential.refresh(secret), options);
  const secondAnswer = await send(refreshed);
  if (secondAnswer.status === 401) credential.reject(refreshed);
  return secondAnswer;
}

/** What a promise gives that other requests wait for too: it goes on, but this request leaves it when aborted or out of time. */
async function waitFor<Value>(shared: Promise<Value>, options: SendRequestOptions): Promise<Value> {
  const { signal } = options;
  const { promise: over, reject: leave } = Promise.withResolvers<never>();
  const onAbort = (): void => leave(signal.reason);
  const alarm = setTimeout(() => leave(tooLate()), timeLeft(options));
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([shared, over]);
  } finally {
    clearTimeout(alarm);
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * In milliseconds, for a timer: at least one, since its zero may mean for ever, and whole ones, since it cuts off the rest
 * and would go off before its time.
 */
export function timeLeft({ endsAt, now }: Pick<SendRequestOptions, 'endsAt' | 'now'>): number {
  return Math.max(1, Math.ceil(endsAt - now()));
}

export function tooLate(): GatewayError {
  return new GatewayError('upstream_timeout', 'The provider did not answer in time.');
}

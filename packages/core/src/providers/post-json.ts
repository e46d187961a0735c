import type { Secret } from './credential.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';
import type { ProviderCall } from './provider.ts';

type Headers = Readonly<Record<string, string>>;

interface Endpoint {
  readonly url: URL;
  /** The headers that name us to the provider. */
  readonly credentialHeaders: (secret: string | undefined) => Headers;
  readonly http: HttpClient;
}

const FIXED_HEADERS = {
  'content-type': 'application/json',
  accept: 'text/event-stream, application/json',
  // Bytes are relayed as they come, so they must not come compressed.
  'accept-encoding': 'identity',
  'user-agent': 'tokenhub/0.1',
};

/** The `open` of every provider that is spoken to in JSON by POST. Headers come from here alone, never from a caller. */
export function postJson({ url, credentialHeaders, http }: Endpoint): (call: ProviderCall) => Promise<HttpAnswer> {
  // Those of the latest secret: it seldom changes, and requests are many.
  let latest: { readonly secret: Secret; readonly headers: Headers } | undefined;
  return ({ secret, body, requestId, betas, signal, headersTimeoutMs, idleTimeoutMs }) => {
    if (latest?.secret !== secret) {
      latest = { secret, headers: { ...FIXED_HEADERS, ...credentialHeaders(secret.text) } };
    }
    return http.post({
      url,
      headers: {
        ...latest.headers,
        'x-request-id': requestId,
        ...(betas !== undefined && { 'anthropic-beta': betas.join(',') }),
      },
      body,
      signal,
      headersTimeoutMs,
      idleTimeoutMs,
    });
  };
}

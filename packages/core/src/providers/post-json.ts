import type { HttpAnswer, HttpClient } from './http-client.ts';
import type { ProviderCall } from './provider.ts';

interface Endpoint {
  readonly url: URL;
  /** The headers that name us to the provider. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly http: HttpClient;
}

/** The `open` of every provider that is spoken to in JSON by POST. Headers come from here alone, never from a caller. */
export function postJson({ url, credentials, http }: Endpoint): (call: ProviderCall) => Promise<HttpAnswer> {
  const fixed = {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
    // Bytes are relayed as they come, so they must not come compressed.
    'accept-encoding': 'identity',
    'user-agent': 'tokenhub/0.1',
    ...credentials,
  };
  return ({ body, requestId, signal, headersTimeoutMs }) =>
    http.post({ url, headers: { ...fixed, 'x-request-id': requestId }, body, signal, headersTimeoutMs });
}

import type { Dialect } from '../dialects/dialect.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';

/** Somebody who serves models: an address, a credential and a dialect. No retrying, routing, logging or metering inside. */
export interface Provider {
  /** As named in the configuration, in `X-TokenHub-Provider` and in the ledger. */
  readonly id: string;
  readonly dialect: Dialect;
  /** Longest wait from sending a request to the first content event of its stream, or to a whole answer that is not streamed. */
  readonly firstEventTimeoutMs: number;
  /** Sends a request body; gives the answer, whatever its status, once its headers are there. Errors as `HttpClient.post`. */
  open(call: ProviderCall): Promise<HttpAnswer>;
}

export interface ProviderCall {
  /** JSON text in the provider's dialect. */
  readonly body: string;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Longest wait for the answer's headers, in milliseconds. */
  readonly headersTimeoutMs: number;
}

/** What an adapter needs to become a {@link Provider}. */
export interface ProviderOptions {
  readonly id: string;
  /** Where the API's paths hang, with a trailing slash: `https://api.openai.com/v1/`, `https://api.anthropic.com/`. */
  readonly baseUrl: URL;
  /** Absent for servers that ask for none. */
  readonly apiKey?: string | undefined;
  readonly http: HttpClient;
  readonly firstEventTimeoutMs: number;
}

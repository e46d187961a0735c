import type { Dialect } from '../dialects/dialect.ts';
import type { Credential, Secret } from './credential.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';

/** Somebody who serves models: an address, a credential and a dialect. No retrying, routing, logging or metering inside. */
export interface Provider {
  /** As named in the configuration, in `X-TokenHub-Provider` and in the ledger. */
  readonly id: string;
  readonly dialect: Dialect;
  /** Names us to it; every call says which reading of it to send. */
  readonly credential: Credential;
  readonly timeouts: ProviderTimeouts;
  /** Sends a request body; gives the answer, whatever its status, once its headers are there. Errors as `HttpClient.post`. */
  open(call: ProviderCall): Promise<HttpAnswer>;
}

/** How long a provider may take, in milliseconds. */
export interface ProviderTimeouts {
  /** Longest wait from sending a request to the first content event of its stream, or to a whole answer that is not streamed. */
  readonly firstEventMs: number;
  /** Longest time inside a stream during which only pings or pieces of an event come, and no content. */
  readonly progressMs: number;
  /** Longest time of a whole stream, from its request on; absent: no limit. */
  readonly totalMs?: number | undefined;
}

export interface ProviderCall {
  /** Of the provider's `credential`. */
  readonly secret: Secret;
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
  readonly credential: Credential;
  readonly http: HttpClient;
  readonly timeouts: ProviderTimeouts;
}

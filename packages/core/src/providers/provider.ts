import type { DialectName, Dialect } from '../dialects/dialect.ts';
import type { Quirks } from '../dialects/quirks.ts';
import type { Credential, Secret } from './credential.ts';
import type { HttpAnswer, HttpClient } from './http-client.ts';

/** Somebody who serves models: an address, a credential and one API or several. No retrying, routing, logging or metering inside. */
export interface Provider {
  /** As named in the configuration, in `X-TokenHub-Provider` and in the ledger. */
  readonly id: string;
  /** The APIs that it offers; the one into which requests of other dialects are written comes first. At least one. */
  readonly endpoints: readonly [Endpoint, ...Endpoint[]];
  /** Names us to it; every call says which reading of it to send. */
  readonly credential: Credential;
  readonly timeouts: ProviderTimeouts;
  /** Where its requests and answers differ from those of its dialect's vendor; absent: nowhere. */
  readonly quirks?: Quirks | undefined;
}

/** One API of a provider: a dialect and where it is spoken. */
export interface Endpoint {
  readonly dialect: Dialect;
  /** Sends a request body; gives the answer, whatever its status, once its headers are there. Errors as `HttpClient.post`. */
  open(call: ProviderCall): Promise<HttpAnswer>;
  /** Asks how many tokens a request has, without having it answered; absent: it has no such route. */
  readonly countTokens?: ((call: ProviderCall) => Promise<HttpAnswer>) | undefined;
}

/** The API for a request of this dialect: the one that speaks it, so that it can be relayed, else the provider's first. */
export function endpointFor({ endpoints }: Provider, dialect: DialectName): Endpoint {
  return endpoints.find((endpoint) => endpoint.dialect.name === dialect) ?? endpoints[0];
}

/** How long a provider may take, in milliseconds. */
export interface ProviderTimeouts {
  /** Longest wait from sending a request to the first content event of its stream, or to the sign that the model has begun to think. */
  readonly firstEventMs: number;
  /** Longest wait from sending a request to the last byte of an answer that is not streamed: as a rule nothing of it comes before. */
  readonly wholeAnswerMs: number;
  /**
   * Longest time inside a stream during which only pings or pieces of an event come, and no content; also that of hidden
   * thinking, while pings come: of silence the HTTP client has its own bound.
   */
  readonly progressMs: number;
  /** Longest time of a whole stream, from its request on; absent: no limit. */
  readonly totalMs?: number | undefined;
}

/** One request to a provider. */
export interface ProviderCall {
  /** Of the provider's `credential`. */
  readonly secret: Secret;
  /** JSON text in the endpoint's dialect. */
  readonly body: string;
  readonly requestId: string;
  /** Beta features that the caller has switched on (`anthropic-beta`); absent: none. */
  readonly betas?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Longest wait for the answer's headers, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** Longest silence inside the answer, in milliseconds; absent: the HTTP client's own. */
  readonly idleTimeoutMs?: number | undefined;
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

import type { ApiName, ModelKind, PresetName, Price } from '@tokenhub/core';

/** The configuration file, read, checked and with every default in place. */
export interface Config {
  readonly providers: readonly ProviderConfig[];
  readonly models: readonly ModelConfig[];
  readonly keys: readonly KeyConfig[];
  readonly routing: RoutingConfig;
  /** Limits of whole organisations, by their id. */
  readonly orgs: ReadonlyMap<string, OwnerConfig>;
  /** Limits of users over all their keys, by their id. */
  readonly users: ReadonlyMap<string, OwnerConfig>;
  /** Limits of teams over all their keys, by their id. */
  readonly teams: ReadonlyMap<string, OwnerConfig>;
}

export interface ProviderConfig {
  readonly id: string;
  readonly type: ProviderType;
  /** Where the API's paths hang, with a trailing slash; with exactly one `/v1/`, of `anthropic` with none. */
  readonly baseUrl: URL;
  /** The APIs that it offers, the preferred one first; absent: those of its type. */
  readonly apis?: readonly [ApiName, ...ApiName[]] | undefined;
  /** Absent for servers that ask for none, and where there are `credentials`. */
  readonly apiKey?: string | undefined;
  /** Where the secret is read, instead of `apiKey`. */
  readonly credentials?: CredentialSource | undefined;
  readonly timeouts: Timeouts;
  /** Most connections at a time. */
  readonly maxConnections: number;
  /** The address may be on loopback or in a private range, and spoken to in plain http. */
  readonly allowPrivate: boolean;
}

/** A program that prints the secret, with its arguments, or a file that holds it. */
export type CredentialSource = { readonly command: readonly string[] } | { readonly file: string };

/** Whose server it is: a preset of `@tokenhub/core`. */
export type ProviderType = PresetName;

export interface Timeouts {
  /** Longest wait for a connection, TLS included. */
  readonly connectMs: number;
  /** Longest wait from the request to the first content event of its stream, or to the sign that the model has begun to think. */
  readonly firstEventMs: number;
  /** Longest wait from the request to the end of an answer that is not streamed. */
  readonly wholeAnswerMs: number;
  /** Longest silence inside a stream. */
  readonly idleMs: number;
  /**
   * Longest time inside a stream during which only pings or pieces of an event come, and no content; also that of hidden
   * thinking, while pings come.
   */
  readonly progressMs: number;
  /** Longest time of a whole stream, from its request on; absent: no limit. */
  readonly totalMs?: number | undefined;
}

export interface ModelConfig {
  /** What callers name. */
  readonly id: string;
  readonly kind: ModelKind;
  /** Capability, 0 to 10. */
  readonly weight: number;
  /** Tokens of input and output together; `undefined` when unknown. */
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** At least one. */
  readonly deployments: readonly DeploymentConfig[];
  readonly price: Price;
  /** What it can do besides, for callers to choose by; absent: nobody has said. Nothing is routed by it. */
  readonly capabilities?: readonly ModelCapability[] | undefined;
}

export type ModelCapability = 'images' | 'documents' | 'tools' | 'structured_output' | 'reasoning';

export interface DeploymentConfig {
  /** Id of a provider of this configuration. */
  readonly provider: string;
  /** The model's name there. */
  readonly model: string;
}

/** An API key: `key` in clear as the file had it, or `keyHash`; never both. */
export interface KeyConfig extends KeyRights {
  readonly id: string;
  readonly key?: string | undefined;
  /** Hex HMAC-SHA-256 under `TOKENHUB_KEY_PEPPER`, or under `TOKENHUB_KEY_PEPPER_PREVIOUS`. */
  readonly keyHash?: string | undefined;
}

/** What the holder of a key may do. */
export interface KeyRights {
  readonly scopes: readonly KeyScope[];
  /** Model ids, or `*` for all of them. */
  readonly models: readonly string[];
  readonly limits: LimitsConfig;
  readonly user?: string | undefined;
  readonly team?: string | undefined;
  readonly org: string;
  /** Milliseconds since 1970; absent: never. */
  readonly expiresAt?: number | undefined;
  /** Absent: as `routing` says. */
  readonly streamFormat?: StreamFormat | undefined;
  /** Whether silent streams get `: keep-alive` comments. */
  readonly heartbeat: boolean;
  readonly longAnswers: LongAnswers;
  readonly withoutQuotaStore: WithoutQuotaStore;
}

export type KeyScope = 'chat' | 'plan' | 'embeddings';

/** Whether a stream that outgrows its reservation goes on when the limits allow no more, or ends with an error event. */
export type LongAnswers = 'finish' | 'cut';

/** Whether requests that a budget pays for are refused or served while the quota store is away. */
export type WithoutQuotaStore = 'refuse' | 'serve';

/** What `/v1/chat` streams unless a request says otherwise: the provider's own events, or OpenAI's whoever serves. */
export type StreamFormat = 'native' | 'openai';

/** Limits of one scope; a dimension without a limit is `undefined`. */
export interface LimitsConfig {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** Requests in flight. */
  readonly concurrency?: number | undefined;
  readonly dayNanoUsd?: bigint | undefined;
  readonly monthNanoUsd?: bigint | undefined;
}

export interface OwnerConfig {
  readonly limits: LimitsConfig;
}

/** What holds for a request that does not say otherwise. */
export interface RoutingConfig {
  readonly mode: RoutingMode;
  /** Most a request may be expected to cost; `undefined`: no limit. */
  readonly maxBudgetNanoUsd?: bigint | undefined;
  /** Longest wait for the first token; `undefined`: no limit. */
  readonly maxLatencyMs?: number | undefined;
  /** Most candidates tried for one request. */
  readonly maxAttempts: number;
  /** Among which models a request is routed that names none; absent: all that its key may use. */
  readonly autoModels?: readonly string[] | undefined;
  readonly streamFormat: StreamFormat;
}

export type RoutingMode = 'cheap' | 'normal' | 'high_confidence' | 'planning' | 'adversarial';

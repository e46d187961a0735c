import type { Price } from '../cost/price.ts';
import type { Provider } from '../providers/provider.ts';

/** What a model makes of its input: an answer, or vectors. */
export type ModelKind = 'chat' | 'embedding';

/** A model as callers name it. */
export interface Model {
  readonly id: string;
  /** @defaultValue `chat` */
  readonly kind?: ModelKind | undefined;
  /** Capability, 0 to 10: the N of `routed-weight-N`. */
  readonly weight: number;
  /** Tokens of input and output together, for embeddings of each input; `undefined` when unknown, which never excludes it. */
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly price: Price;
}

/** A deployment: a model at a provider, one of those that may serve a request. */
export interface Candidate {
  /** `model@provider`, unique; with a further `/name` where one provider serves a model under several names. */
  readonly id: string;
  readonly model: Model;
  readonly provider: Provider;
  /** The model's name at the provider. */
  readonly upstreamModel: string;
}

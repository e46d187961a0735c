import type { ModelCapability, ModelConfig } from '@tokenhub/config';
import type { ModelKind } from '@tokenhub/core';
import { toPricing, type Pricing } from './pricing.ts';

/** One model as OpenAI lists it, with what a caller needs to choose. */
export interface OpenaiModel {
  readonly id: string;
  readonly object: 'model';
  readonly created: 0;
  /** Ids of the providers that serve it; those of the demonstration are called `simulated-…`. */
  readonly owned_by: string;
  readonly kind: ModelKind;
  readonly context_length: number | null;
  readonly max_model_len: number | null;
  readonly max_output_tokens: number | null;
  readonly weight: number;
  readonly pricing: Pricing;
  /** `null` where the configuration says nothing of them. */
  readonly capabilities: readonly ModelCapability[] | null;
}

/** A configured model in OpenAI's shape. */
export function toOpenaiModel(model: ModelConfig): OpenaiModel {
  const { id, kind, contextWindow = null, maxOutputTokens = null, weight, price, capabilities = null } = model;
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: model.deployments.map(({ provider }) => provider).join(','),
    kind,
    context_length: contextWindow,
    max_model_len: contextWindow,
    max_output_tokens: maxOutputTokens,
    weight,
    pricing: toPricing(price),
    capabilities,
  };
}

import type { ModelCapability, ModelConfig } from '@tokenhub/config';
import { formatPerToken, type ModelKind, type Price, type Rates } from '@tokenhub/core';

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

/** USD per token in exact decimal strings, by OpenRouter's names. */
interface PricedRates {
  readonly prompt: string;
  readonly completion: string;
  readonly input_cache_read: string;
  readonly input_cache_write: string;
  readonly input_cache_write_1h: string;
  readonly internal_reasoning: string;
}

interface Pricing extends PricedRates {
  /** What holds instead for every token of a request with a longer prompt. */
  readonly tiers?: readonly (PricedRates & { readonly above_input_tokens: number })[];
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

function toPricing({ tiers, ...rates }: Price): Pricing {
  if (tiers === undefined) return toPricedRates(rates);
  return {
    ...toPricedRates(rates),
    tiers: tiers.map((tier) => ({ above_input_tokens: tier.aboveInputTokens, ...toPricedRates(tier) })),
  };
}

function toPricedRates({ input, output, cachedInput, cacheWrite, cacheWrite1h, reasoning }: Rates): PricedRates {
  return {
    prompt: formatPerToken(input),
    completion: formatPerToken(output),
    input_cache_read: formatPerToken(cachedInput),
    input_cache_write: formatPerToken(cacheWrite),
    input_cache_write_1h: formatPerToken(cacheWrite1h),
    internal_reasoning: formatPerToken(reasoning),
  };
}

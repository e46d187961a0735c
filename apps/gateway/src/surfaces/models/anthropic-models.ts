import type { IncomingHttpHeaders } from 'node:http';
import type { ModelCapability, ModelConfig } from '@tokenhub/config';
import { GatewayError, isJsonObject } from '@tokenhub/core';
import { toPricing, type Pricing } from './pricing.ts';

/** One model as Anthropic lists it. Source: https://docs.anthropic.com/en/api/models-list. */
export interface AnthropicModel {
  readonly type: 'model';
  readonly id: string;
  readonly display_name: string;
  /** An epoch stands for a day that is not known. */
  readonly created_at: string;
  readonly max_input_tokens: number | null;
  readonly max_tokens: number | null;
  /** `null` where the configuration says nothing of them. */
  readonly capabilities: AnthropicCapabilities | null;
  /** One that is served is in its life: the configuration knows no end of it. */
  readonly lifecycle: 'active';
  readonly deprecated_at: null;
  readonly retires_at: null;
  /** Of Anthropic's own families; no model of a configuration is said to belong to one. */
  readonly line: null;
  /** Not Anthropic's: USD per token, as in OpenAI's shape. */
  readonly pricing: Pricing;
}

interface Support {
  readonly supported: boolean;
}

/** What a caller of this gateway can use of a model, by Anthropic's names. */
export interface AnthropicCapabilities {
  readonly batch: Support;
  readonly citations: Support;
  readonly code_execution: Support;
  readonly context_management: Support &
    Readonly<Record<'clear_thinking_20251015' | 'clear_tool_uses_20250919' | 'compact_20260112', Support>>;
  readonly effort: Support & Readonly<Record<'low' | 'medium' | 'high' | 'xhigh' | 'max', Support>>;
  readonly image_input: Support;
  readonly pdf_input: Support;
  readonly server_tools: Support & { readonly code_execution: Support; readonly web_search: Support };
  readonly structured_outputs: Support;
  readonly thinking: Support & {
    readonly types: Readonly<Record<'adaptive' | 'between_tools' | 'disabled' | 'enabled', Support>>;
  };
}

/** A page of Anthropic's list. */
export interface AnthropicPage {
  readonly data: readonly AnthropicModel[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 20;

/** True where models are listed as Anthropic does: for its clients, whose every request names its version. */
export function readsAnthropicModels(path: string, headers: IncomingHttpHeaders): boolean {
  return path.startsWith('/anthropic/') || headers['anthropic-version'] !== undefined;
}

/** A configured model in Anthropic's shape. */
export function toAnthropicModel(model: ModelConfig): AnthropicModel {
  const { id, contextWindow, maxOutputTokens, capabilities, price } = model;
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: '1970-01-01T00:00:00Z',
    max_input_tokens: contextWindow ?? null,
    max_tokens: maxOutputTokens ?? null,
    capabilities: capabilities === undefined ? null : toAnthropicCapabilities(capabilities),
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: null,
    pricing: toPricing(price),
  };
}

/**
 * What the configuration does not say of a model is not claimed of it: batches, which the gateway has none of, and what only some
 * providers of a model may have.
 */
function toAnthropicCapabilities(capabilities: readonly ModelCapability[]): AnthropicCapabilities {
  const has = (capability: ModelCapability): Support => ({ supported: capabilities.includes(capability) });
  const reasoning = has('reasoning');
  const none: Support = { supported: false };
  return {
    batch: none,
    citations: none,
    code_execution: none,
    context_management: {
      ...none,
      clear_thinking_20251015: none,
      clear_tool_uses_20250919: none,
      compact_20260112: none,
    },
    effort: { ...reasoning, low: reasoning, medium: reasoning, high: reasoning, xhigh: reasoning, max: reasoning },
    image_input: has('images'),
    pdf_input: has('documents'),
    server_tools: { ...none, code_execution: none, web_search: none },
    structured_outputs: has('structured_output'),
    thinking: {
      ...reasoning,
      types: { adaptive: reasoning, between_tools: none, disabled: { supported: true }, enabled: reasoning },
    },
  };
}

/**
 * The page that `limit` and `after_id` or `before_id` ask for.
 * @throws GatewayError `invalid_parameter`.
 */
export function toAnthropicPage(models: readonly ModelConfig[], query: unknown): AnthropicPage {
  const { limit, after_id: after, before_id: before } = isJsonObject(query) ? query : {};
  if (after !== undefined && before !== undefined) throw invalid('after_id', 'must be left out beside before_id');
  const size = readLimit(limit);
  const from = after === undefined ? 0 : findPlace(models, 'after_id', after) + 1;
  const end = before === undefined ? models.length : findPlace(models, 'before_id', before);
  const page = before === undefined ? models.slice(from, from + size) : models.slice(Math.max(0, end - size), end);
  return {
    data: page.map(toAnthropicModel),
    has_more: end - from > size,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

function readLimit(limit: unknown): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  const size = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (size >= 1 && size <= MAX_LIMIT) return size;
  throw invalid('limit', `must be a whole number from 1 to ${MAX_LIMIT}`);
}

function findPlace(models: readonly ModelConfig[], name: string, id: unknown): number {
  const place = models.findIndex((model) => model.id === id);
  if (place >= 0) return place;
  throw invalid(name, 'must be the id of one of the models listed');
}

function invalid(param: string, rule: string): GatewayError {
  return new GatewayError('invalid_parameter', `${param} ${rule}.`, { param });
}

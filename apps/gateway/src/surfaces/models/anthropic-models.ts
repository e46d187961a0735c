import type { IncomingHttpHeaders } from 'node:http';
import type { ModelConfig } from '@tokenhub/config';
import { GatewayError, isJsonObject } from '@tokenhub/core';

/** One model as Anthropic lists it. Source: https://docs.anthropic.com/en/api/models-list. */
export interface AnthropicModel {
  readonly type: 'model';
  readonly id: string;
  readonly display_name: string;
  /** An epoch stands for a day that is not known. */
  readonly created_at: string;
  readonly max_input_tokens: number | null;
  readonly max_tokens: number | null;
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
export function toAnthropicModel({ id, contextWindow, maxOutputTokens }: ModelConfig): AnthropicModel {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: '1970-01-01T00:00:00Z',
    max_input_tokens: contextWindow ?? null,
    max_tokens: maxOutputTokens ?? null,
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

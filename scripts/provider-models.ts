import type { Config, ProviderConfig } from '@tokenhub/config';
import { formatUsd, isJsonObject, PRESETS, type JsonObject, type Rates } from '@tokenhub/core';
import { findCatalogPrice, findCatalogWindow } from '@tokenhub/core/prices';
import { readCredential } from '../apps/gateway/src/credential-source.ts';

const TIMEOUT_MS = 10_000;
/** What a model can be called in the configuration. */
const MODEL_ID = /^[A-Za-z0-9][\w.:/@+-]{0,127}$/;
const EMBEDDINGS = /embed/i;

interface Listed extends JsonObject {
  readonly id: string;
}

/**
 * The `models:` of a configuration, as YAML, for what the list of one of its providers names and it does not have yet, with
 * the windows and prices that are known.
 * @throws Error saying why the list cannot be had.
 */
export async function writeProviderModels(config: Config, providerId: string): Promise<string> {
  const provider = config.providers.find(({ id }) => id === providerId);
  if (provider === undefined) {
    const ids = config.providers.map(({ id }) => id).join(', ');
    throw new Error(`the configuration has no provider ${providerId}; it has ${ids}`);
  }
  const served = new Set(
    config.models.flatMap(({ deployments }) =>
      deployments.filter((deployment) => deployment.provider === providerId).map(({ model }) => model),
    ),
  );
  const listed = await fetchModels(provider);
  const fresh = listed.filter(({ id }) => !served.has(id));
  const known = listed.length - fresh.length;
  return [
    `# ${providerId} lists ${listed.length} models, of which ${known} are configured already.`,
    ...(fresh.length > 0 ? ['models:', ...fresh.map((model) => writeModel(model, provider))] : []),
  ].join('\n');
}

/** What a provider's list has, each entry with its `id`. */
async function fetchModels(provider: ProviderConfig): Promise<readonly Listed[]> {
  const { apiKey, credentials, baseUrl } = provider;
  const { hasVersionInPaths, keyHeader } = PRESETS[provider.type];
  // Anthropic's pages have 20 unless more are asked for.
  const url = new URL(hasVersionInPaths === true ? 'v1/models?limit=1000' : 'models', baseUrl);
  const secret = credentials === undefined ? apiKey : await readCredential(credentials);
  const response = await fetch(url, {
    headers: {
      ...(provider.type === 'anthropic' && { 'anthropic-version': '2023-06-01' }),
      ...(secret !== undefined && { [keyHeader]: keyHeader === 'authorization' ? `Bearer ${secret}` : secret }),
    },
    // The key is for this address alone.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new Error(`${url.href} cannot be reached`, { cause: error });
  });
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`);
  const answer: unknown = await response.json();
  const list: unknown = isJsonObject(answer) ? answer['data'] : answer;
  if (!Array.isArray(list)) throw new Error(`${url.href} gives no list of models`);
  return list.filter(isListed);
}

function isListed(entry: unknown): entry is Listed {
  return isJsonObject(entry) && typeof entry['id'] === 'string';
}

function writeModel(listed: Listed, { id: provider, type }: ProviderConfig): string {
  const name = listed.id;
  if (!MODEL_ID.test(name)) return `  # ${JSON.stringify(name)} needs an id of your own`;
  const window = findCount(listed, ['context_length', 'max_model_len', 'max_input_tokens', 'context_window']);
  const contextWindow = window ?? findCatalogWindow(type, name);
  const maxOutputTokens = findCount(listed, ['max_output_tokens', 'max_tokens', 'max_completion_tokens']);
  const lines = [
    `- id: ${JSON.stringify(name)}`,
    ...(EMBEDDINGS.test(name) ? ['  kind: embedding'] : []),
    ...(contextWindow === undefined ? [] : [`  context_window: ${contextWindow}`]),
    ...(maxOutputTokens === undefined ? [] : [`  max_output_tokens: ${maxOutputTokens}`]),
    `  deployments: [{ provider: ${JSON.stringify(provider)}, model: ${JSON.stringify(name)} }]`,
    `  ${writePrice(name, type)}`,
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

function writePrice(name: string, type: ProviderConfig['type']): string {
  const price = findCatalogPrice(type, name);
  if (price === undefined) return '# price: { input: "", output: "" } is not known here; or free';
  const tiers = (price.tiers ?? []).map(
    (tier) => `{ above_input_tokens: ${tier.aboveInputTokens}, ${writeRates(tier)} }`,
  );
  return `price: { ${writeRates(price)}${tiers.length > 0 ? `, tiers: [${tiers.join(', ')}]` : ''} }`;
}

function writeRates(rates: Rates): string {
  const figures = {
    input: rates.input,
    output: rates.output,
    cached_input: rates.cachedInput,
    cache_write: rates.cacheWrite,
    cache_write_1h: rates.cacheWrite1h,
    reasoning: rates.reasoning,
  };
  return Object.entries(figures)
    .map(([name, rate]) => `${name}: "${formatUsd(rate)}"`)
    .join(', ');
}

function findCount(listed: JsonObject, names: readonly string[]): number | undefined {
  const counts = names.map((name) => Number(listed[name] ?? 0));
  return counts.find((count) => Number.isInteger(count) && count > 0);
}

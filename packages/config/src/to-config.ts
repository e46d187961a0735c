import { FREE, parsePrice, parseUsd, PRESETS, type Price } from '@tokenhub/core';
import { findCatalogPrice } from '@tokenhub/core/prices';
import type { z } from 'zod';
import { parseBaseUrl } from './base-url.ts';
import type { Path } from './config-document.ts';
import {
  keySchema,
  modelSchema,
  ownerSchema,
  providerSchema,
  routingSchema,
  type KeyFile,
  type KeyRightsFile,
  type LimitsFile,
  type ModelFile,
  type ProviderFile,
  type RoutingFile,
} from './config-schema.ts';
import type {
  Config,
  CredentialSource,
  KeyConfig,
  KeyRights,
  LimitsConfig,
  ModelConfig,
  OwnerConfig,
  ProviderConfig,
  ProviderType,
  RoutingConfig,
} from './config.ts';

/** Tells of a problem at a place of the file. */
export type Report = (path: Path, message: string) => void;

/**
 * Fills in the defaults and reports what a schema cannot see: references, repeated ids, addresses, prices. Entries of the
 * wrong shape are passed over, so that one mistake does not hide another; the result is of use only when nothing was reported.
 */
export function toConfig(file: unknown, report: Report): Config {
  const providerFiles = entries(member(file, 'providers'), providerSchema);
  const modelFiles = entries(member(file, 'models'), modelSchema);
  const keyFiles = entries(member(file, 'keys'), keySchema);
  const knownModels = idsOf(member(file, 'models'));
  const providerTypes = new Map(providerFiles.map(([, { id, type }]) => [id, type]));
  const knownProviders = idsOf(member(file, 'providers'));

  for (const list of ['providers', 'models', 'keys']) reportRepeatedIds(list, member(file, list), report);
  reportRepeatedSecrets(keyFiles, report);

  const reportUnknownModels = (path: Path, ids: readonly string[]): void => {
    for (const [index, id] of ids.entries()) {
      if (id !== '*' && !knownModels.has(id)) report([...path, index], `names ${id}, which is none of the models`);
    }
  };
  const routing = toRouting(routingSchema.safeParse(member(file, 'routing') ?? {}).data ?? {});
  reportUnknownModels(['routing', 'auto_models'], routing.autoModels ?? []);

  return {
    providers: providerFiles.flatMap(([index, provider]) => toProvider(provider, ['providers', index], report) ?? []),
    models: modelFiles.flatMap(([index, model]) => {
      const path = ['models', index];
      reportDeployments(model, knownProviders, (rest, message) => report([...path, ...rest], message));
      return toModel(model, providerTypes, (message) => report([...path, 'price'], message)) ?? [];
    }),
    keys: keyFiles.map(([index, key]) => {
      const path = ['keys', index];
      if ((key.key === undefined) === (key.key_hash === undefined)) report(path, 'must have either key or key_hash');
      reportUnknownModels([...path, 'models'], key.models ?? []);
      return toKey(key);
    }),
    routing,
    orgs: toOwners(member(file, 'orgs')),
    users: toOwners(member(file, 'users')),
    teams: toOwners(member(file, 'teams')),
  };
}

function toProvider(file: ProviderFile, path: Path, report: Report): ProviderConfig | undefined {
  const { id, type, apis, api_key: apiKey, timeouts, allow_private: allowPrivate = false } = file;
  reportCredentials(file, (field, message) => report([...path, field], message));
  const address = file.base_url ?? PRESETS[type].baseUrl;
  if (address === undefined) {
    report([...path, 'base_url'], `is required, since ${type} has no public address`);
    return undefined;
  }
  try {
    return {
      id,
      type,
      baseUrl: parseBaseUrl(address, type, allowPrivate),
      apis: toApis(apis),
      apiKey,
      credentials: toCredentialSource(file),
      timeouts: {
        connectMs: timeouts?.connect_ms ?? 5000,
        firstEventMs: timeouts?.first_event_ms ?? 60_000,
        wholeAnswerMs: timeouts?.whole_answer_ms ?? 300_000,
        idleMs: timeouts?.idle_ms ?? 120_000,
        progressMs: timeouts?.progress_ms ?? 600_000,
        totalMs: timeouts?.total_ms,
      },
      maxConnections: file.max_connections ?? 512,
      allowPrivate,
    };
  } catch (error) {
    report([...path, 'base_url'], messageOf(error));
    return undefined;
  }
}

function toApis([first, ...others]: NonNullable<ProviderFile['apis']> = []): ProviderConfig['apis'] {
  return first === undefined ? undefined : [first, ...others];
}

function reportCredentials(
  { type, base_url: baseUrl, api_key: apiKey, credentials }: ProviderFile,
  report: (field: 'api_key' | 'credentials', message: string) => void,
): void {
  if (credentials === undefined) {
    const preset = PRESETS[type];
    // Whoever is there for everybody asks who they are.
    const isPublic = baseUrl === undefined && preset.baseUrl?.startsWith('https:') === true;
    if (apiKey !== undefined || !(preset.needsKey || isPublic)) return;
    report('api_key', `is required, since ${type} serves nobody without; or give credentials`);
    return;
  }
  if (apiKey !== undefined) report('credentials', 'must not stand beside api_key; leave out one of them');
  if ((credentials.command === undefined) === (credentials.file === undefined))
    report('credentials', 'must have either command or file');
}

function toCredentialSource({ credentials }: ProviderFile): CredentialSource | undefined {
  if (credentials?.file !== undefined) return { file: credentials.file };
  return credentials?.command === undefined ? undefined : { command: credentials.command };
}

function reportDeployments({ deployments }: ModelFile, knownProviders: ReadonlySet<unknown>, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { provider, model }] of deployments.entries()) {
    if (!knownProviders.has(provider)) {
      report(['deployments', index, 'provider'], `names ${provider}, which is none of the providers`);
    }
    const name = JSON.stringify([provider, model]);
    if (seen.has(name)) report(['deployments', index], 'repeats an earlier one');
    seen.add(name);
  }
}

function toModel(
  file: ModelFile,
  providerTypes: ReadonlyMap<string, ProviderType>,
  report: (message: string) => void,
): ModelConfig | undefined {
  try {
    return {
      id: file.id,
      kind: file.kind ?? 'chat',
      weight: file.weight ?? 5,
      contextWindow: file.context_window,
      maxOutputTokens: file.max_output_tokens,
      deployments: file.deployments,
      price: toPrice(file, providerTypes),
      capabilities: file.capabilities,
    };
  } catch (error) {
    report(messageOf(error));
    return undefined;
  }
}

/** @throws Error saying which price would be needed. */
function toPrice({ price, deployments }: ModelFile, providerTypes: ReadonlyMap<string, ProviderType>): Price {
  if (price === 'free') return FREE;
  if (price !== undefined) return parsePrice(price);
  const listed = new Map<string, Price>();
  for (const { provider, model } of deployments) {
    const type = providerTypes.get(provider);
    const found = type === undefined ? FREE : findCatalogPrice(type, model);
    if (found !== undefined) listed.set(found.version, found);
  }
  const [only, ...others] = listed.values();
  if (only === undefined) {
    throw new Error(
      'is required, since the price catalogue does not know this model; give input and output, or say free',
    );
  }
  if (others.length > 0) throw new Error('is required, since the list prices of its deployments differ');
  return only;
}

function toKey(file: KeyFile): KeyConfig {
  return { id: file.id, key: file.key, keyHash: file.key_hash, ...toKeyRights(file) };
}

/** The rights of a key with every default in place. */
export function toKeyRights(file: Omit<KeyRightsFile, 'id' | 'name'>): KeyRights {
  return {
    scopes: file.scopes ?? ['chat', 'plan'],
    models: file.models ?? ['*'],
    limits: toLimits(file.limits),
    user: file.user,
    team: file.team,
    org: file.org ?? 'default',
    expiresAt: file.expires_at === undefined ? undefined : Date.parse(file.expires_at),
    streamFormat: file.stream_format,
    heartbeat: file.heartbeat ?? true,
    longAnswers: file.long_answers ?? 'finish',
    withoutQuotaStore: file.without_quota_store ?? 'refuse',
  };
}

function toLimits(file: LimitsFile = {}): LimitsConfig {
  return {
    requestsPerMinute: file.rpm,
    tokensPerMinute: file.tpm,
    concurrency: file.concurrency,
    dayNanoUsd: toNanoUsd(file.budget_day_usd),
    monthNanoUsd: toNanoUsd(file.budget_month_usd),
  };
}

function toRouting(file: RoutingFile): RoutingConfig {
  return {
    mode: file.mode ?? 'normal',
    maxBudgetNanoUsd: toNanoUsd(file.max_budget_usd ?? undefined),
    maxLatencyMs: file.max_latency_ms ?? undefined,
    maxAttempts: file.max_attempts ?? 3,
    autoModels: file.auto_models,
    streamFormat: file.stream_format ?? 'native',
  };
}

function toOwners(file: unknown): ReadonlyMap<string, OwnerConfig> {
  const owners = new Map<string, OwnerConfig>();
  for (const [id, value] of Object.entries(isObject(file) ? file : {})) {
    const owner = ownerSchema.safeParse(value);
    if (owner.success) owners.set(id, { limits: toLimits(owner.data.limits) });
  }
  return owners;
}

function reportRepeatedIds(list: string, file: unknown, report: Report): void {
  const seen = new Set<unknown>();
  for (const [index, entry] of (Array.isArray(file) ? file : []).entries()) {
    const id = member(entry, 'id');
    if (typeof id === 'string' && seen.has(id))
      report([list, index, 'id'], `repeats ${id}; every id must be used once`);
    seen.add(id);
  }
}

function reportRepeatedSecrets(keys: readonly (readonly [number, KeyFile])[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { key, key_hash: keyHash }] of keys) {
    const secret = key ?? keyHash;
    if (secret === undefined) continue;
    if (seen.has(secret)) report(['keys', index], 'has the same secret as an earlier key');
    seen.add(secret);
  }
}

function entries<Schema extends z.ZodType>(file: unknown, schema: Schema): [number, z.infer<Schema>][] {
  return (Array.isArray(file) ? file : []).flatMap((entry: unknown, index) => {
    const parsed = schema.safeParse(entry);
    return parsed.success ? [[index, parsed.data] satisfies [number, z.infer<Schema>]] : [];
  });
}

function idsOf(file: unknown): Set<unknown> {
  return new Set((Array.isArray(file) ? file : []).map((entry: unknown) => member(entry, 'id')));
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toNanoUsd(amount: string | undefined): bigint | undefined {
  return amount === undefined ? undefined : parseUsd(amount);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

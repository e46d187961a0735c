import type { Config, KeyConfig, ProviderConfig } from '@tokenhub/config';
import {
  createCredential,
  createProvider,
  staticCredential,
  type Candidate,
  type Credential,
  type Provider,
} from '@tokenhub/core';
import { createUndiciHttpClient, type UndiciHttpClient } from '@tokenhub/core/undici';
import type { Scope } from '@tokenhub/metering';
import { scopesOf } from './admission/scopes.ts';
import { readCredential } from './credential-source.ts';

/** What can be called and by whom: the configuration made ready to serve. Never changed; a reload makes a new one. */
export interface Catalog {
  readonly config: Config;
  readonly candidates: readonly Candidate[];
  hasModel(modelId: string): boolean;
  /** True when the key may use the model. */
  allows(key: KeyConfig, modelId: string): boolean;
  /** Whose quotas a request of this key draws on. */
  scopesOf(key: KeyConfig): readonly Scope[];
  /** Closes the connections to all providers once their answers have ended. */
  close(): Promise<void>;
}

export function createCatalog(config: Config): Catalog {
  const clients: UndiciHttpClient[] = [];
  const providers = new Map<string, Provider>();
  for (const provider of config.providers) {
    const http = createUndiciHttpClient({
      origin: provider.baseUrl.origin,
      connectTimeoutMs: provider.timeouts.connectMs,
      idleTimeoutMs: provider.timeouts.idleMs,
      maxConnections: provider.maxConnections,
      allowPrivate: provider.allowPrivate,
    });
    clients.push(http);
    const { id, type, baseUrl, apis, timeouts } = provider;
    const credential = credentialOf(provider);
    providers.set(id, createProvider(type, { id, baseUrl, apis, credential, http, timeouts }));
  }
  const scopes = new Map(config.keys.map((key) => [key, scopesOf(key, config)]));
  const modelIds = new Set(config.models.map((model) => model.id));
  return {
    config,
    candidates: [...deployments(config, providers)],
    hasModel: (modelId) => modelIds.has(modelId),
    // A request may have been authenticated under the configuration before a reload; its key is limited all the same.
    scopesOf: (key) => scopes.get(key) ?? scopesOf(key, config),
    allows: (key, modelId) => key.models.includes('*') || key.models.includes(modelId),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}

const now = (): number => performance.now();

function credentialOf({ apiKey, credentials }: ProviderConfig): Credential {
  if (credentials === undefined) return staticCredential(apiKey, now);
  return createCredential({ read: () => readCredential(credentials), now });
}

function* deployments(config: Config, providers: ReadonlyMap<string, Provider>): Generator<Candidate> {
  for (const { deployments: places, ...model } of config.models) {
    const seen = new Set<string>();
    for (const { provider: providerId, model: upstreamModel } of places) {
      const provider = providers.get(providerId);
      // The configuration is checked: every deployment names a provider that it defines.
      if (provider === undefined) throw new Error(`unknown provider ${providerId}`);
      const plain = `${model.id}@${providerId}`;
      const id = seen.has(plain) ? `${plain}/${upstreamModel}` : plain;
      seen.add(plain);
      yield { id, model, provider, upstreamModel };
    }
  }
}

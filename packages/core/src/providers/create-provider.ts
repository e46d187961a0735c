import { APIS } from './apis.ts';
import { postJson } from './post-json.ts';
import type { ApiName, Preset } from './preset.ts';
import { PRESETS, type PresetName } from './presets.ts';
import type { Endpoint, Provider, ProviderOptions } from './provider.ts';

/** What a preset needs to become a {@link Provider}. */
export interface PresetOptions extends ProviderOptions {
  /** The APIs of a server that offers others than its preset has, the preferred one first. */
  readonly apis?: Preset['apis'] | undefined;
}

/** A provider of which a preset, one of `PRESETS` or another, says everything but the address and the credential. */
export function createProvider(preset: PresetName | Preset, options: PresetOptions): Provider {
  const known = typeof preset === 'string' ? PRESETS[preset] : preset;
  const { id, credential, timeouts, apis = known.apis } = options;
  const [first, ...others] = apis;
  const open = (name: ApiName): Endpoint => toEndpoint(name, known, options);
  return { id, endpoints: [open(first), ...others.map(open)], credential, timeouts, quirks: known.quirks };
}

function toEndpoint(name: ApiName, preset: Preset, { baseUrl, http }: ProviderOptions): Endpoint {
  const api = APIS[name];
  const { paths, hasVersionInPaths, keyHeader } = preset;
  const url = new URL(paths?.[name] ?? (hasVersionInPaths === true ? `v1/${api.path}` : api.path), baseUrl);
  const credentialHeaders = (secret: string | undefined): Record<string, string> => ({
    ...api.headers,
    ...(secret !== undefined && { [keyHeader]: keyHeader === 'authorization' ? `Bearer ${secret}` : secret }),
  });
  const open = postJson({ url, credentialHeaders, http });
  if (preset.countsTokens !== true || name !== 'messages') return { dialect: api.dialect, open };
  const countUrl = new URL(`${url.pathname}/count_tokens`, url);
  return { dialect: api.dialect, open, countTokens: postJson({ url: countUrl, credentialHeaders, http }) };
}

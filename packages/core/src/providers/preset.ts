import type { Quirks } from '../dialects/quirks.ts';

/** The APIs that a provider may offer. `chat` is OpenAI's chat completions, `messages` Anthropic's, `responses` OpenAI's newer one. */
export const API_NAMES = ['chat', 'messages', 'responses', 'embeddings'] as const;

/** The name of an API that a provider may offer. */
export type ApiName = (typeof API_NAMES)[number];

/** What is known of a provider from its documentation: data, from which `createProvider` makes a provider. */
export interface Preset {
  /** Where it is for everybody, or where such a server is by default; absent: everybody has an address of their own. */
  readonly baseUrl?: string | undefined;
  /** Its paths begin with `v1/`, which other providers have in their base URLs. */
  readonly hasVersionInPaths?: true | undefined;
  /** It serves nobody without a key, wherever it is. */
  readonly needsKey: boolean;
  /** The header that carries the key; in `authorization` it stands behind `Bearer`. */
  readonly keyHeader: 'authorization' | 'api-key' | 'x-api-key';
  /** The APIs that it offers; the one into which requests of other dialects are written comes first. */
  readonly apis: readonly [ApiName, ...ApiName[]];
  /** Of APIs that are not at their usual path: where they are, from the base URL. */
  readonly paths?: Readonly<Partial<Record<ApiName, string>>> | undefined;
  /** Where its requests and answers differ from those of its dialect's vendor. */
  readonly quirks?: Quirks | undefined;
  /** Beside its messages it has the route that counts the tokens of one. */
  readonly countsTokens?: true | undefined;
  /** Its name in the price catalogue; absent: it has no list prices. */
  readonly priceList?: string | undefined;
  /** The page of its documentation that all this is from. */
  readonly docs: string;
}

import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { embeddingsDialect } from '../dialects/embeddings/embeddings-dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { responsesDialect } from '../dialects/responses/responses-dialect.ts';
import type { ApiName } from './preset.ts';

/** One of the APIs that a provider may offer: how it is spoken and where. */
export interface Api {
  readonly dialect: Dialect;
  /** Where it usually is, below `/v1/`. */
  readonly path: string;
  /** Headers that each request to it needs, whoever offers it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Every API by its name. A new one is a line here, a name in `API_NAMES`, and its place in the presets of those who offer it. */
export const APIS: Readonly<Record<ApiName, Api>> = {
  chat: { dialect: openaiDialect, path: 'chat/completions' },
  // The version that the dialect speaks. Source: https://docs.anthropic.com/en/api/versioning
  messages: { dialect: anthropicDialect, path: 'messages', headers: { 'anthropic-version': '2023-06-01' } },
  responses: { dialect: responsesDialect, path: 'responses' },
  embeddings: { dialect: embeddingsDialect, path: 'embeddings' },
};

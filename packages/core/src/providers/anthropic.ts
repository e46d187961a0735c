import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { postJson } from './post-json.ts';
import type { Provider, ProviderOptions } from './provider.ts';

/** Version of the Messages API that this adapter speaks. Source: https://docs.anthropic.com/en/api/versioning */
const ANTHROPIC_VERSION = '2023-06-01';

/** Anthropic's messages. Source: https://docs.anthropic.com/en/api/messages */
export function createAnthropic(options: ProviderOptions): Provider {
  const { id, baseUrl, apiKey, http, firstEventTimeoutMs } = options;
  const url = new URL('v1/messages', baseUrl);
  const credentials = {
    'anthropic-version': ANTHROPIC_VERSION,
    ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
  };
  return { id, dialect: anthropicDialect, firstEventTimeoutMs, open: postJson({ url, credentials, http }) };
}

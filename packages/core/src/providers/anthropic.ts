import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { postJson } from './post-json.ts';
import type { Provider, ProviderOptions } from './provider.ts';

/** Version of the Messages API that this adapter speaks. Source: https://docs.anthropic.com/en/api/versioning */
const ANTHROPIC_VERSION = '2023-06-01';

/** Anthropic's messages. Source: https://docs.anthropic.com/en/api/messages */
export function createAnthropic({ id, baseUrl, credential, http, timeouts }: ProviderOptions): Provider {
  const url = new URL('v1/messages', baseUrl);
  return { id, dialect: anthropicDialect, credential, timeouts, open: postJson({ url, credentialHeaders, http }) };
}

function credentialHeaders(secret: string | undefined): Record<string, string> {
  return { 'anthropic-version': ANTHROPIC_VERSION, ...(secret !== undefined && { 'x-api-key': secret }) };
}

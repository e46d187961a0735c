import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { postJson } from './post-json.ts';
import type { Provider, ProviderOptions } from './provider.ts';

/** OpenAI's chat completions. Source: https://platform.openai.com/docs/api-reference/chat */
export function createOpenai({ id, baseUrl, credential, http, timeouts }: ProviderOptions): Provider {
  const url = new URL('chat/completions', baseUrl);
  return { id, dialect: openaiDialect, credential, timeouts, open: postJson({ url, credentialHeaders, http }) };
}

function credentialHeaders(secret: string | undefined): Record<string, string> {
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` };
}

import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { postJson } from './post-json.ts';
import type { Provider, ProviderOptions } from './provider.ts';

/** OpenAI's chat completions. Source: https://platform.openai.com/docs/api-reference/chat */
export function createOpenai(options: ProviderOptions): Provider {
  const { id, baseUrl, apiKey, http, firstEventTimeoutMs } = options;
  const url = new URL('chat/completions', baseUrl);
  const credentials = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return { id, dialect: openaiDialect, firstEventTimeoutMs, open: postJson({ url, credentials, http }) };
}

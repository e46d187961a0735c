import { createOpenai } from './openai.ts';
import type { Provider, ProviderOptions } from './provider.ts';

/**
 * vLLM's OpenAI-compatible server; its key is optional.
 * Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 */
export function createVllm(options: ProviderOptions): Provider {
  return createOpenai(options);
}

import { createProvider, type PresetOptions } from './create-provider.ts';
import type { Provider } from './provider.ts';

/**
 * vLLM's OpenAI-compatible server; its key is optional.
 * Source: https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html
 */
export function createVllm(options: PresetOptions): Provider {
  return createProvider('vllm', options);
}

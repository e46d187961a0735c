import { createProvider, type PresetOptions } from './create-provider.ts';
import type { Provider } from './provider.ts';

/** OpenAI. Source: https://platform.openai.com/docs/api-reference */
export function createOpenai(options: PresetOptions): Provider {
  return createProvider('openai', options);
}

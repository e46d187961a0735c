import { createProvider, type PresetOptions } from './create-provider.ts';
import type { Provider } from './provider.ts';

/** Anthropic's messages. Source: https://docs.anthropic.com/en/api/messages */
export function createAnthropic(options: PresetOptions): Provider {
  return createProvider('anthropic', options);
}

import { createAnthropic } from '@ai-sdk/anthropic';
import { aiSdkClient } from './ai-sdk.ts';
import type { Client } from './client.ts';

export const aiSdkAnthropic: Client = {
  ...aiSdkClient(({ url, apiKey, model }) => createAnthropic({ apiKey, baseURL: `${url}/v1` })(model)),
  name: '`@ai-sdk/anthropic`',
  package: '@ai-sdk/anthropic',
  surface: 'messages',
};

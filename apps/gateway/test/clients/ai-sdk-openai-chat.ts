import { createOpenAI } from '@ai-sdk/openai';
import { aiSdkClient } from './ai-sdk.ts';
import type { Client } from './client.ts';

export const aiSdkOpenaiChat: Client = {
  ...aiSdkClient(({ url, apiKey, model }) => createOpenAI({ apiKey, baseURL: `${url}/v1` }).chat(model)),
  name: '`@ai-sdk/openai`, `.chat()`',
  // It does not read `reasoning_content`.
  think: undefined,
  package: '@ai-sdk/openai',
  surface: 'chat completions',
};

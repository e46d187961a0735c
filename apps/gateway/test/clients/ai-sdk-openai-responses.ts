import { createOpenAI } from '@ai-sdk/openai';
import { aiSdkClient } from './ai-sdk.ts';
import type { Client } from './client.ts';

export const aiSdkOpenaiResponses: Client = {
  ...aiSdkClient(({ url, apiKey, model }) => createOpenAI({ apiKey, baseURL: `${url}/v1` }).responses(model), {
    providerOptions: { openai: { reasoningSummary: 'auto', forceReasoning: true, store: false } },
  }),
  name: '`@ai-sdk/openai`, `.responses()`',
  package: '@ai-sdk/openai',
  surface: 'responses',
};

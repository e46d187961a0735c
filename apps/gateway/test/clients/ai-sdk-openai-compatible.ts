import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { aiSdkClient } from './ai-sdk.ts';
import { LOSES_SIGNATURES, type Client } from './client.ts';

export const aiSdkOpenaiCompatible: Client = {
  ...aiSdkClient(({ url, apiKey, model, wantsUsage }) =>
    createOpenAICompatible({
      name: 'tokenhub',
      apiKey,
      baseURL: `${url}/v1`,
      includeUsage: wantsUsage === true,
      supportsStructuredOutputs: true,
    })(model),
  ),
  name: '`@ai-sdk/openai-compatible`',
  package: '@ai-sdk/openai-compatible',
  surface: 'chat completions',
  notes: [{ scenario: 'reasoning sent back', model: 'claude-sonnet-4', why: LOSES_SIGNATURES }],
};

import { Mistral } from '@mistralai/mistralai';
import { MistralError } from '@mistralai/mistralai/models/errors';
import { STATUSES, TEXT_ONLY, type Client } from './client.ts';

/** Reads every answer with a schema of its own, and throws at what does not fit. */
export const mistral: Client = {
  name: '`@mistralai/mistralai`',
  package: '@mistralai/mistralai',
  surface: 'chat completions',

  async ask({ url, apiKey, model, prompt, stream, signal, onText }) {
    const { chat } = new Mistral({ apiKey, serverURL: url, retryConfig: { strategy: 'none' } });
    const request = { model, messages: [{ role: 'user' as const, content: prompt }] };
    const options = signal && { signal };
    if (!stream) {
      const { choices, usage } = await chat.complete(request, options);
      const content = choices[0]?.message?.content;
      return {
        text: typeof content === 'string' ? content : '',
        usage: { input: usage.promptTokens, output: usage.completionTokens },
      };
    }
    let text = '';
    for await (const { data } of await chat.stream(request, options)) {
      const piece = data.choices[0]?.delta.content;
      if (typeof piece !== 'string' || piece === '') continue;
      text += piece;
      onText?.(piece);
    }
    return { text };
  },

  notes: [
    ...TEXT_ONLY,
    {
      scenario: 'usage of a stream',
      why: '`@mistralai/mistralai` cannot ask for it: Mistral tells the usage of each stream, OpenAI and TokenHub only where `stream_options` ask for it.',
    },
  ],

  isError: (error, kind) => error instanceof MistralError && error.statusCode === STATUSES[kind],
};

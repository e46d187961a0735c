import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';
import { STATUSES, TEXT_ONLY, type Client, type ErrorKind } from './client.ts';

const CLASSES: Readonly<Record<ErrorKind, new (...parts: never[]) => { readonly statusCode: number }>> = {
  'bad request': errors.BadRequestResponseError,
  unauthorized: errors.UnauthorizedResponseError,
  'payment required': errors.PaymentRequiredResponseError,
  forbidden: errors.ForbiddenResponseError,
  'not found': errors.NotFoundResponseError,
  'too large': errors.PayloadTooLargeResponseError,
  'rate limit': errors.TooManyRequestsResponseError,
  'server error': errors.BadGatewayResponseError,
  overloaded: errors.ServiceUnavailableResponseError,
  // Of its own timeouts it reads 524 only.
  timeout: errors.OpenRouterDefaultError,
};

const NO_FINGERPRINT =
  '`@openrouter/sdk` insists on a `system_fingerprint`, be it null, which the simulated vLLM leaves out as older ones did; answers of vLLM are relayed as they are.';

/** Reads every answer with a schema of its own, and throws at what does not fit. */
export const openrouter: Client = {
  name: '`@openrouter/sdk`',
  package: '@openrouter/sdk',
  surface: 'chat completions',

  async ask({ url, apiKey, model, prompt, stream, signal, wantsUsage, onText }) {
    const { chat } = new OpenRouter({ apiKey, serverURL: `${url}/v1`, retryConfig: { strategy: 'none' } });
    const messages = [{ role: 'user' as const, content: prompt }];
    const options = signal && { signal };
    if (!stream) {
      const result = await chat.send({ chatRequest: { model, messages, stream } }, options);
      if (!('choices' in result)) throw new Error('a stream that nobody asked for');
      const content: unknown = result.choices[0]?.message.content;
      return { text: typeof content === 'string' ? content : '', usage: toUsage(result.usage) };
    }
    const streamOptions = wantsUsage && { streamOptions: { includeUsage: true } };
    const chunks = await chat.send({ chatRequest: { model, messages, stream, ...streamOptions } }, options);
    if ('choices' in chunks) throw new Error('no stream');
    let text = '';
    let usage: ReturnType<typeof toUsage>;
    for await (const chunk of chunks) {
      const piece = chunk.choices[0]?.delta.content ?? '';
      text += piece;
      if (piece !== '') onText?.(piece);
      usage ??= toUsage(chunk.usage);
    }
    return { text, usage };
  },

  notes: [
    ...TEXT_ONLY,
    ...(['plain', 'usage'] as const).map((scenario) => ({ scenario, model: 'llama' as const, why: NO_FINGERPRINT })),
    {
      scenario: 'usage of a stream',
      model: 'gpt-4',
      why: '`@openrouter/sdk` throws at the `"usage":null` of the chunks before the last, which OpenAI sends to who asks for usage.',
    },
  ],

  isError: (error, kind) => error instanceof CLASSES[kind] && error.statusCode === STATUSES[kind],
};

function toUsage(usage: { promptTokens: number; completionTokens: number } | undefined) {
  return usage && { input: usage.promptTokens, output: usage.completionTokens };
}

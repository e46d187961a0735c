import type { Usage } from '../answer.ts';
import { createRandom } from '../words.ts';
import { toChatLogprobs, toChatMessage, toChatStream } from './chat-stream.ts';
import { obfuscation } from './obfuscation.ts';
import { readChatRequest } from './read-chat-request.ts';
import { CREATED, Refusal, type Wire } from './wire.ts';

/** OpenAI's chat completions. Source: https://platform.openai.com/docs/api-reference/chat */
export const openaiWire: Wire = {
  name: 'openai',
  method: 'POST',
  route: 'chat/completions',

  checkKey({ authorization }) {
    const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    if (key === undefined) {
      throw new Refusal(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.",
        { status: 401, type: 'invalid_request_error' },
      );
    }
    if (key.startsWith('wrong')) throw openaiWire.toRefusal(401);
  },

  readRequest: readChatRequest,

  writeStream(answer, ask) {
    const random = createRandom(Number.parseInt(answer.id, 16));
    const head =
      `{"id":"chatcmpl-sim${answer.id}","object":"chat.completion.chunk","created":${CREATED},` +
      `"model":${JSON.stringify(ask.model)},"service_tier":"default","system_fingerprint":"fp_simulated","choices":[`;
    return toChatStream(
      answer,
      { ...ask, continuousUsage: answer.reportsAlways },
      ({ choice, delta, logprobs, finishReason, usage }) => {
        const choices =
          choice === undefined
            ? ''
            : `{"index":${choice},"delta":${JSON.stringify(delta)},"logprobs":${JSON.stringify(logprobs)},"finish_reason":${JSON.stringify(finishReason)}}`;
        const reported = ask.includeUsage
          ? `,"usage":${JSON.stringify(usage === undefined ? null : toUsage(usage))}`
          : '';
        const padding = ask.obfuscation ? `,"obfuscation":"${obfuscation(random)}"` : '';
        return `${head}${choices}]${reported}${padding}}`;
      },
    );
  },

  writeAnswer(answer, ask) {
    const message = { ...toChatMessage(answer), refusal: null, annotations: [] };
    const choices = Array.from({ length: ask.choices }, (_, index) => ({
      index,
      message,
      logprobs: toChatLogprobs(answer.text, ask),
      finish_reason: answer.finish,
    }));
    return JSON.stringify(
      {
        id: `chatcmpl-sim${answer.id}`,
        object: 'chat.completion',
        created: CREATED,
        model: ask.model,
        choices,
        ...(answer.usage && { usage: toUsage(answer.usage) }),
        service_tier: 'default',
        system_fingerprint: 'fp_simulated',
      },
      null,
      2,
    );
  },

  writeError({ message, type, param, code }) {
    return JSON.stringify({ error: { message, type, param, code } }, null, 2);
  },

  writeStreamError() {
    const message = 'The server had an error while processing your request. Sorry about that! [simulated]';
    return `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } })}\n\n`;
  },

  writeRawDelta: (text) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`,

  ping: ': keep-alive\n\n',

  toRefusal(status) {
    const [type, code, message] = REFUSALS[status] ?? [
      'server_error',
      undefined,
      'The server had an error. [simulated]',
    ];
    return new Refusal(message, { status, type, ...(code && { code }) });
  },

  contextRefusal: new Refusal(
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
    { status: 400, type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' },
  ),

  headers: (requestId) => ({ 'x-request-id': requestId, 'openai-version': '2020-10-01', 'openai-processing-ms': '1' }),
};

const REFUSALS: Readonly<Record<number, readonly [type: string, code: string | undefined, message: string]>> = {
  400: ['invalid_request_error', undefined, 'This request is refused on demand. [simulated]'],
  401: ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided: wr*ng. [simulated]'],
  403: ['invalid_request_error', undefined, 'You have insufficient permissions for this operation. [simulated]'],
  404: [
    'invalid_request_error',
    'model_not_found',
    'The model does not exist or you do not have access to it. [simulated]',
  ],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached on requests per min (RPM). [simulated]'],
};

function toUsage(usage: Usage): Record<string, unknown> {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

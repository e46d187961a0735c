import type { Usage } from '../answer.ts';
import { toChatLogprobs, toChatMessage, toChatStream } from './chat-stream.ts';
import { readChatRequest } from './read-chat-request.ts';
import { CREATED, Refusal, type Wire } from './wire.ts';

/**
 * vLLM's OpenAI-compatible server: needs no key unless started with one, reports usage on every chunk when asked.
 * Source: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
 */
export const vllmWire: Wire = {
  name: 'vllm',
  method: 'POST',
  route: 'chat/completions',

  checkKey({ authorization }) {
    if (authorization?.startsWith('Bearer wrong')) throw vllmWire.toRefusal(401);
  },

  readRequest: inVllmWords(readChatRequest),

  writeStream(answer, ask) {
    const head =
      `{"id":"chatcmpl-sim${answer.id}","object":"chat.completion.chunk","created":${CREATED},` +
      `"model":${JSON.stringify(ask.model)},"choices":[`;
    return toChatStream(answer, ask, ({ choice, delta, logprobs, finishReason, usage }) => {
      const reported = usage === undefined ? '' : `,"usage":${JSON.stringify(toUsage(usage))}`;
      if (choice === undefined) return `${head}]${reported}}`;
      const text = finishReason === null ? JSON.stringify(inVllmNames(delta)) : '{"content":""}';
      const end = finishReason === null ? 'null' : `"${finishReason}","stop_reason":null`;
      return `${head}{"index":${choice},"delta":${text},"logprobs":${JSON.stringify(logprobs)},"finish_reason":${end},"token_ids":null}]${reported}}`;
    });
  },

  writeAnswer(answer, ask) {
    const message = { reasoning: null, tool_calls: [], ...inVllmNames(toChatMessage(answer)) };
    return JSON.stringify({
      id: `chatcmpl-sim${answer.id}`,
      object: 'chat.completion',
      created: CREATED,
      model: ask.model,
      choices: Array.from({ length: ask.choices }, (_, index) => ({
        index,
        message,
        logprobs: toChatLogprobs(answer.text, ask),
        finish_reason: answer.finish,
        stop_reason: null,
      })),
      ...(answer.usage && { usage: toUsage(answer.usage) }),
      prompt_logprobs: null,
    });
  },

  writeError({ message, type, param, status }) {
    return JSON.stringify({ error: { message, type, param, code: status } });
  },

  writeStreamError() {
    const message = 'EngineCore encountered an issue. [simulated]';
    return `data: ${JSON.stringify({ error: { message, type: 'Internal Server Error', param: null, code: 500 } })}\n\n`;
  },

  writeRawDelta: (text) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`,

  ping: ': keep-alive\n\n',

  toRefusal(status) {
    const [type, message] = REFUSALS[status] ?? ['Internal Server Error', 'The server failed. [simulated]'];
    return new Refusal(message, { status, type });
  },

  contextRefusal: new Refusal(
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens in the messages, Please reduce the length of the messages.",
    { status: 400, type: 'BadRequestError' },
  ),

  headers: (requestId) => ({ 'x-request-id': requestId }),
};

/** Newer versions say `reasoning` where others say `reasoning_content`. */
function inVllmNames({ reasoning_content: reasoning, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return reasoning === undefined ? rest : { reasoning, ...rest };
}

/** The same checks as OpenAI's, but refused in vLLM's words. */
export function inVllmWords(read: Wire['readRequest']): Wire['readRequest'] {
  return (body) => {
    try {
      return read(body);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal(error.message, { status: 400, type: 'BadRequestError' });
      throw error;
    }
  };
}

const REFUSALS: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['BadRequestError', 'This request is refused on demand. [simulated]'],
  401: ['Unauthorized', 'Unauthorized'],
  404: ['NotFoundError', 'The model does not exist. [simulated]'],
  429: ['RateLimitError', 'Too many requests. [simulated]'],
};

function toUsage(usage: Usage): Record<string, unknown> {
  return {
    prompt_tokens: usage.promptTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    completion_tokens: usage.completionTokens,
    ...(usage.cachedTokens > 0 && { prompt_tokens_details: { cached_tokens: usage.cachedTokens } }),
  };
}

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Surface } from './clients/client.ts';
import { accumulate, type OpenaiUsage } from './sse-client.ts';
import { KEY } from './test-gateway.ts';

/** What a client library has made of an answer, in the words of the recordings. */
export interface Read {
  readonly text: string;
  readonly reasoning: string;
  readonly tools: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** As the surface says it; of a response, why it is incomplete, or its status. */
  readonly finish: string | null | undefined;
  /** Characters of each signature. */
  readonly signatures: readonly number[];
  /** `undefined` where the surface has no place for them. */
  readonly citations?: number;
  /** `undefined` where nothing was said. */
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
  readonly cached: number | undefined;
  readonly reasoned: number | undefined;
}

/** A stream up to its error. */
export interface Broken {
  readonly text: string;
  readonly reasoning: string;
  /** `undefined` when there was none. */
  readonly error: unknown;
}

/** How the client library of a surface reads what a model of the gateway at `url` answers. */
export interface SurfaceReader {
  read(url: string, model: string, stream: boolean): Promise<Read>;
  /** Piece by piece, as a caller would who keeps what came before an error. */
  readUntilError(url: string, model: string): Promise<Broken>;
}

const USER = [{ role: 'user' as const, content: 'Hello' }];
const SIGNATURE_MARK = 'tokenhub.anthropic.signature.';

export const SURFACES: Readonly<Record<Surface, SurfaceReader>> = {
  'chat completions': {
    async read(url, model, stream) {
      const { completions } = toOpenai(url).chat;
      if (!stream) return toRead(await completions.create({ model, messages: USER }));
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      const request = { model, messages: USER, stream, stream_options: { include_usage: true } };
      for await (const chunk of await completions.create(request)) chunks.push(chunk);
      const { tools, finishReason, usage, refusal, ...answer } = accumulate(chunks);
      return {
        text: answer.text + refusal,
        reasoning: chunks.map(({ choices: [choice] }) => toReasoning(choice?.delta)).join(''),
        tools,
        finish: finishReason,
        signatures: toSignatures(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))),
        ...toCounts(usage),
      };
    },
    readUntilError: (url, model) =>
      untilError(
        async () => await toOpenai(url).chat.completions.create({ model, messages: USER, stream: true }),
        (chunk) => {
          const { text } = accumulate([chunk]);
          return { text, reasoning: toReasoning(chunk.choices[0]?.delta) };
        },
      ),
  },

  messages: {
    async read(url, model, stream) {
      const body = { model, max_tokens: 1000, messages: USER };
      const { messages } = toAnthropic(url);
      const message = stream ? await messages.stream(body).finalMessage() : await messages.create(body);
      const { content, usage } = message;
      return {
        text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
        reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
        tools: content
          .filter((block) => block.type === 'tool_use')
          .map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })),
        finish: message.stop_reason,
        signatures: content.flatMap((block) =>
          block.type === 'thinking' && block.signature !== '' ? [block.signature.length] : [],
        ),
        citations: content.flatMap((block) => (block.type === 'text' ? (block.citations ?? []) : [])).length,
        prompt: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
        completion: usage.output_tokens,
        cached: usage.cache_read_input_tokens ?? undefined,
        reasoned: usage.output_tokens_details?.thinking_tokens,
      };
    },
    readUntilError: (url, model) =>
      untilError(
        async () => await toAnthropic(url).messages.create({ model, max_tokens: 1000, messages: USER, stream: true }),
        (event) => {
          if (event.type !== 'content_block_delta') return {};
          if (event.delta.type === 'text_delta') return { text: event.delta.text };
          return event.delta.type === 'thinking_delta' ? { reasoning: event.delta.thinking } : {};
        },
      ),
  },

  responses: {
    async read(url, model, stream) {
      const { responses } = toOpenai(url);
      const body = { model, input: 'Hello', include: ['reasoning.encrypted_content' as const], store: false };
      const response = stream ? await responses.stream(body).finalResponse() : await responses.create(body);
      const { output, usage } = response;
      const thoughts = output.flatMap((item) => (item.type === 'reasoning' ? [item] : []));
      return {
        text: output
          .flatMap((item) => (item.type === 'message' ? item.content : []))
          .map((part) => (part.type === 'output_text' ? part.text : part.refusal))
          .join(''),
        reasoning: thoughts.flatMap((item) => item.summary.map(({ text }) => text)).join(''),
        tools: output.flatMap((item) =>
          item.type === 'function_call' ? [{ id: item.call_id, name: item.name, arguments: item.arguments }] : [],
        ),
        finish: response.incomplete_details?.reason ?? response.status,
        signatures: thoughts
          .map((item) => item.encrypted_content ?? '')
          .filter((text) => text.startsWith(SIGNATURE_MARK))
          .map((text) => text.length - SIGNATURE_MARK.length),
        prompt: usage?.input_tokens,
        completion: usage?.output_tokens,
        cached: usage?.input_tokens_details.cached_tokens,
        reasoned: usage?.output_tokens_details.reasoning_tokens,
      };
    },
    readUntilError: (url, model) =>
      untilError(
        async () => await toOpenai(url).responses.create({ model, input: 'Hello', stream: true }),
        (event) => {
          if (event.type === 'response.output_text.delta') return { text: event.delta };
          if (event.type === 'response.reasoning_summary_text.delta') return { reasoning: event.delta };
          // The library throws at neither when it is read event by event.
          return event.type === 'response.failed' || event.type === 'error' ? { error: event } : {};
        },
      ),
  },
};

function toOpenai(url: string): OpenAI {
  return new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 });
}

function toAnthropic(url: string): Anthropic {
  return new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 });
}

async function untilError<Event>(
  open: () => Promise<AsyncIterable<Event>>,
  look: (event: Event) => Partial<Broken>,
): Promise<Broken> {
  let text = '';
  let reasoning = '';
  try {
    for await (const event of await open()) {
      const seen = look(event);
      text += seen.text ?? '';
      reasoning += seen.reasoning ?? '';
      if (seen.error !== undefined) return { text, reasoning, error: seen.error };
    }
  } catch (error) {
    return { text, reasoning, error };
  }
  return { text, reasoning, error: undefined };
}

function toRead({ choices: [choice], usage }: OpenAI.ChatCompletion): Read {
  const message = choice?.message as unknown as Readonly<Record<string, unknown>>;
  const joined = (parts: readonly unknown[]): string => parts.filter((part) => typeof part === 'string').join('');
  return {
    text: joined([message['content'], message['refusal']]),
    reasoning: toReasoning(message),
    tools: (choice?.message.tool_calls ?? []).flatMap((call) =>
      'function' in call ? [{ id: call.id, ...call.function }] : [],
    ),
    finish: choice?.finish_reason,
    signatures: toSignatures([message]),
    ...toCounts(usage),
  };
}

/** The name that clients read, besides which a provider's own may stand. */
function toReasoning(part: object | undefined): string {
  const text = part !== undefined && 'reasoning_content' in part ? part.reasoning_content : '';
  return typeof text === 'string' ? text : '';
}

function toCounts(usage: OpenaiUsage | undefined): Pick<Read, 'prompt' | 'completion' | 'cached' | 'reasoned'> {
  return {
    prompt: usage?.prompt_tokens,
    completion: usage?.completion_tokens,
    cached: usage?.prompt_tokens_details?.cached_tokens,
    reasoned: usage?.completion_tokens_details?.reasoning_tokens,
  };
}

/** Signatures that stand in the `reasoning_details` of a message or of its deltas. */
function toSignatures(parts: readonly (object | undefined)[]): number[] {
  const details = parts.flatMap((part) =>
    part !== undefined && 'reasoning_details' in part ? (part.reasoning_details as object[]) : [],
  );
  return details.flatMap((detail) =>
    'signature' in detail && typeof detail.signature === 'string' ? [detail.signature.length] : [],
  );
}

import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import type { Caller, Client, Question, Reply } from './client.ts';
import { isOpenAiError } from './openai-errors.ts';

type Message = OpenAI.ChatCompletionMessageParam;

export const openaiChat: Client = {
  name: '`openai`, `chat.completions`',
  package: 'openai',
  surface: 'chat completions',

  ask: ({ prompt, ...question }) => complete(question, [{ role: 'user', content: prompt }]),

  async callTools({ prompt, stream, ...caller }, { name, description, parameters, run }) {
    const request = {
      model: caller.model,
      messages: [{ role: 'user' as const, content: prompt }],
      tools: [zodFunction({ name, description, parameters, function: ({ city }) => run(city) })],
    };
    const completions = connect(caller).chat.completions;
    const runner = stream ? completions.runTools({ ...request, stream }) : completions.runTools(request);
    return { text: (await runner.finalContent()) ?? '' };
  },

  async fillIn({ prompt, stream, ...caller }, schema) {
    const completions = connect(caller).chat.completions;
    const request = {
      model: caller.model,
      messages: [{ role: 'user' as const, content: prompt }],
      response_format: zodResponseFormat(schema, 'weather'),
    };
    const completion = stream
      ? await completions.stream(request).finalChatCompletion()
      : await completions.parse(request);
    return completion.choices[0]?.message.parsed;
  },

  async think({ prompt, stream, ...caller }) {
    const messages: Message[] = [{ role: 'user', content: prompt }];
    const first = await reason({ ...caller, stream }, messages);
    const second = await reason({ ...caller, stream }, [...messages, first, { role: 'user', content: prompt }]);
    return { reasoning: first.reasoning_content, first: first.content, second: second.content };
  },

  see: ({ prompt, ...question }, png) =>
    complete(question, [
      {
        role: 'user',
        content: [
          { type: 'text', text: prompt },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
    ]),

  study: ({ prompt, ...question }, pdf) =>
    complete(question, [
      {
        role: 'user',
        content: [
          { type: 'text', text: prompt },
          { type: 'file', file: { filename: 'report.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
        ],
      },
    ]),

  isError: isOpenAiError,
};

function connect({ url, apiKey }: Omit<Caller, 'model'>): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
}

async function complete(question: Omit<Question, 'prompt'>, messages: Message[]): Promise<Reply> {
  const { model, stream, signal, wantsUsage, onText } = question;
  const { completions } = connect(question).chat;
  if (!stream) {
    const { choices, usage } = await completions.create({ model, messages }, { signal });
    return { text: choices[0]?.message.content ?? '', usage: usage && toUsage(usage) };
  }
  let text = '';
  let usage: Reply['usage'];
  const options = wantsUsage && { stream_options: { include_usage: true } };
  for await (const chunk of await completions.create({ model, messages, stream, ...options }, { signal })) {
    const piece = chunk.choices[0]?.delta.content ?? '';
    text += piece;
    if (piece !== '') onText?.(piece);
    if (chunk.usage) usage = toUsage(chunk.usage);
  }
  return { text, usage };
}

/** Not in the library's types, and in each of its messages and deltas. */
interface Reasoned {
  readonly content?: string | null | undefined;
  readonly reasoning_content?: string | null;
  readonly reasoning_details?: readonly unknown[];
}

/** The message of the answer; of a stream, its pieces put together. */
async function reason({ model, stream, ...caller }: Omit<Question, 'prompt'>, messages: Message[]) {
  const { completions } = connect(caller).chat;
  const request = { model, messages, reasoning_effort: 'low' as const };
  const pieces: Reasoned[] = [];
  if (stream) {
    for await (const chunk of await completions.create({ ...request, stream })) {
      pieces.push(...chunk.choices.map((choice) => choice.delta));
    }
  } else {
    pieces.push(...(await completions.create(request)).choices.map((choice) => choice.message));
  }
  return {
    role: 'assistant' as const,
    content: pieces.map((piece) => piece.content ?? '').join(''),
    reasoning_content: pieces.map((piece) => piece.reasoning_content ?? '').join(''),
    reasoning_details: pieces.flatMap((piece) => piece.reasoning_details ?? []),
  };
}

function toUsage(usage: OpenAI.CompletionUsage): Reply['usage'] {
  return { input: usage.prompt_tokens, output: usage.completion_tokens };
}

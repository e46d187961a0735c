import {
  APICallError,
  generateText,
  Output,
  stepCountIs,
  streamText,
  tool as toTool,
  type LanguageModel,
  type ModelMessage,
} from 'ai';
import type { z } from 'zod';
import { STATUSES, type Caller, type Client, type Question, type Reply, type Thoughts, type Tool } from './client.ts';

export type ToModel = (caller: Caller & { readonly wantsUsage?: boolean }) => LanguageModel;

type Options = Parameters<typeof generateText>[0] & Parameters<typeof streamText>[0];

/** Beside `reasoning`, what makes the provider package ask for reasoning that can be read. */
export type Thinking = Pick<Options, 'providerOptions'>;

/** What the `ai` package does with a model, whichever provider package made it. */
export function aiSdkClient(toModel: ToModel, thinking: Thinking = {}): Omit<Client, 'name' | 'package' | 'surface'> {
  return {
    ask: (question) => ask(toModel, question, [{ role: 'user', content: question.prompt }]),

    async callTools({ prompt, stream, ...caller }: Question, { name, description, parameters, run }: Tool) {
      const tool = toTool({ description, inputSchema: parameters, execute: ({ city }) => run(city) });
      const { text } = await answer(
        { model: toModel(caller), prompt, tools: { [name]: tool }, stopWhen: stepCountIs(3) },
        stream ? {} : undefined,
      );
      return { text };
    },

    async fillIn({ prompt, stream, ...caller }: Question, schema: z.ZodType) {
      const output = Output.object({ schema });
      const filled = await answer({ model: toModel(caller), prompt, output }, stream ? {} : undefined);
      return filled.output;
    },

    async think({ prompt, stream, ...caller }: Question): Promise<Thoughts> {
      const messages: ModelMessage[] = [{ role: 'user', content: prompt }];
      const options = { model: toModel(caller), reasoning: 'low' as const, ...thinking };
      const first = await answer({ ...options, messages }, stream ? {} : undefined);
      const next: ModelMessage[] = [...messages, ...first.messages, { role: 'user', content: prompt }];
      const second = await answer({ ...options, messages: next }, stream ? {} : undefined);
      return { reasoning: first.reasoning ?? '', first: first.text, second: second.text };
    },

    see: (question, png) =>
      ask(toModel, question, [
        {
          role: 'user',
          content: [
            { type: 'text', text: question.prompt },
            { type: 'file', data: png, mediaType: 'image/png' },
          ],
        },
      ]),

    study: (question, pdf) =>
      ask(toModel, question, [
        {
          role: 'user',
          content: [
            { type: 'text', text: question.prompt },
            { type: 'file', data: pdf, mediaType: 'application/pdf', filename: 'report.pdf' },
          ],
        },
      ]),

    isError: (error, kind) => APICallError.isInstance(error) && error.statusCode === STATUSES[kind],
  };
}

async function ask(toModel: ToModel, question: Question, messages: ModelMessage[]): Promise<Reply> {
  const { stream, signal, onText } = question;
  const { text, usage } = await answer(
    { model: toModel(question), messages, maxRetries: 0, ...(signal && { abortSignal: signal }) },
    stream ? { onText } : undefined,
  );
  return { text, usage: { input: usage.inputTokens, output: usage.outputTokens } };
}

/** Runs to the end, streamed or not. */
async function answer(options: Options, streamed: { readonly onText?: Question['onText'] } | undefined) {
  const quiet = { ...options, maxRetries: 0, onError: () => undefined };
  const result = streamed === undefined ? await generateText(quiet) : streamText(quiet);
  if ('stream' in result) {
    for await (const part of result.stream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'abort') throw new Error('aborted');
      if (part.type === 'text-delta') streamed?.onText?.(part.text);
    }
  }
  const [text, reasoning, messages, usage, output] = await Promise.all([
    result.text,
    result.reasoningText,
    result.responseMessages,
    result.usage,
    options.output && result.output,
  ]);
  return { text, reasoning, messages, usage, output };
}

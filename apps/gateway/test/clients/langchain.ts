import {
  AIMessageChunk,
  HumanMessage,
  ToolMessage,
  type AIMessage,
  type BaseMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import { tool as toTool } from '@langchain/core/tools';
import { ChatOpenAI, type ChatOpenAIFields } from '@langchain/openai';
import type { z } from 'zod';
import { LOSES_SIGNATURES, type Caller, type Client, type Question, type Reply, type Tool } from './client.ts';
import { isOpenAiError } from './openai-errors.ts';

/** `ChatOpenAI` on one surface. `thinking` goes into its requests as it is: of itself it asks only models of certain names to reason. */
function langchainClient(
  fields: ChatOpenAIFields,
  thinking: Record<string, unknown>,
): Omit<Client, 'name' | 'package' | 'surface'> {
  const connect = ({ url, apiKey, model }: Caller, more: ChatOpenAIFields = {}): ChatOpenAI =>
    new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration: { baseURL: `${url}/v1` }, ...fields, ...more });

  const ask = async (question: Question, message: HumanMessage): Promise<Reply> => {
    const { stream, signal, onText, wantsUsage = false } = question;
    const model = connect(question, { streamUsage: wantsUsage });
    if (!stream) return toReply(await model.invoke([message], signal && { signal }));
    return toReply(await collect(await model.stream([message], signal && { signal }), onText));
  };

  return {
    ask: (question) => ask(question, new HumanMessage(question.prompt)),

    async callTools({ prompt, stream, ...caller }: Question, { name, description, parameters, run }: Tool) {
      const weather = toTool(({ city }) => run(city), { name, description, schema: parameters });
      const model = connect(caller).bindTools([weather]);
      const messages: BaseMessage[] = [new HumanMessage(prompt)];
      for (let turn = 0; turn < 3; turn++) {
        const message = stream ? await collect(await model.stream(messages)) : await model.invoke(messages);
        const calls = message.tool_calls ?? [];
        if (calls.length === 0) return { text: message.text };
        messages.push(message);
        for (const call of calls) {
          const result: unknown = await weather.invoke({ ...call, type: 'tool_call' });
          if (!ToolMessage.isInstance(result)) throw new Error('not a tool message');
          messages.push(result);
        }
      }
      throw new Error('the model calls for ever');
    },

    async fillIn({ prompt, stream, ...caller }: Question, schema: z.ZodType) {
      const model = connect(caller).withStructuredOutput(schema as z.ZodType<Record<string, unknown>>);
      if (!stream) return model.invoke(prompt);
      let last: unknown;
      for await (const partial of await model.stream(prompt)) last = partial;
      return last;
    },

    async think({ prompt, stream, ...caller }: Question) {
      const model = connect(caller, { modelKwargs: thinking });
      const messages: BaseMessage[] = [new HumanMessage(prompt)];
      const send = async (): Promise<AIMessage | AIMessageChunk> =>
        stream ? collect(await model.stream(messages)) : model.invoke(messages);
      const first = await send();
      messages.push(first, new HumanMessage(prompt));
      const second = await send();
      return { reasoning: toReasoning(first), first: first.text, second: second.text };
    },

    see: (question, png) =>
      ask(
        question,
        new HumanMessage({
          contentBlocks: [
            { type: 'text', text: question.prompt },
            { type: 'image', mimeType: 'image/png', data: png },
          ],
        }),
      ),

    study: (question, pdf) =>
      ask(
        question,
        new HumanMessage({
          contentBlocks: [
            { type: 'text', text: question.prompt },
            { type: 'file', mimeType: 'application/pdf', data: pdf, metadata: { filename: 'report.pdf' } },
          ],
        }),
      ),

    isError: isOpenAiError,
  };
}

export const langchainChat: Client = {
  ...langchainClient({}, { reasoning_effort: 'low' }),
  name: '`@langchain/openai`',
  package: '@langchain/openai',
  surface: 'chat completions',
  notes: [{ scenario: 'reasoning sent back', model: 'claude-sonnet-4', why: LOSES_SIGNATURES }],
};

export const langchainResponses: Client = {
  ...langchainClient({ useResponsesApi: true }, { reasoning: { effort: 'low', summary: 'auto' } }),
  name: '`@langchain/openai`, `useResponsesApi`',
  package: '@langchain/openai',
  surface: 'responses',
  notes: [
    {
      scenario: 'structured output',
      case: 'gets an answer of a JSON schema, streamed',
      model: 'gpt-4',
      why: '`@langchain/openai` takes tool calls for structured output where a model is named `gpt-4`, and cannot read them from a stream of responses: “Cannot handle non-string output.”',
    },
  ],
};

async function collect(
  chunks: AsyncIterable<AIMessageChunk>,
  onText?: (piece: string) => void,
): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of chunks) {
    if (chunk.text !== '') onText?.(chunk.text);
    whole = whole === undefined ? chunk : whole.concat(chunk);
  }
  return whole ?? new AIMessageChunk('');
}

function toReply(message: { text: string; usage_metadata?: UsageMetadata | undefined }): Reply {
  const usage = message.usage_metadata;
  return {
    text: message.text,
    usage: usage && { input: usage.input_tokens, output: usage.output_tokens },
  };
}

function toReasoning(message: AIMessage | AIMessageChunk): string {
  const { reasoning_content: text } = message.additional_kwargs as { reasoning_content?: string };
  return text ?? message.contentBlocks.map((block) => (block.type === 'reasoning' ? block.reasoning : '')).join('');
}

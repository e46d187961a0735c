import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import type { Caller, Client, Question, Reply } from './client.ts';
import { isOpenAiError } from './openai-errors.ts';

type Input = OpenAI.Responses.ResponseInputItem[];
type Request = OpenAI.Responses.ResponseCreateParamsNonStreaming;

export const openaiResponses: Client = {
  name: '`openai`, `responses`',
  package: 'openai',
  surface: 'responses',

  ask: ({ prompt, ...question }) => respond(question, [{ role: 'user', content: prompt }]),

  async callTools({ prompt, stream, ...caller }, { name, description, parameters, run }) {
    const input: Input = [{ role: 'user', content: prompt }];
    const tools = [zodResponsesFunction({ name, description, parameters })];
    for (let turn = 0; turn < 3; turn++) {
      const response = await send(caller, { model: caller.model, input, tools, store: false }, stream);
      const calls = response.output.filter((item) => item.type === 'function_call');
      if (calls.length === 0) return { text: response.output_text };
      input.push(...(response.output as Input));
      for (const call of calls) {
        const output = run(parameters.parse(JSON.parse(call.arguments)).city);
        input.push({ type: 'function_call_output', call_id: call.call_id, output });
      }
    }
    throw new Error('the model calls for ever');
  },

  async fillIn({ prompt, stream, ...caller }, schema) {
    const request = { model: caller.model, input: prompt, text: { format: zodTextFormat(schema, 'weather') } };
    const { responses } = connect(caller);
    const response = stream ? await responses.stream(request).finalResponse() : await responses.parse(request);
    return response.output_parsed;
  },

  async think({ prompt, stream, ...caller }) {
    const input: Input = [{ role: 'user', content: prompt }];
    const request: Request = {
      model: caller.model,
      input,
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      store: false,
    };
    const { output, output_text: first } = await send(caller, request, stream);
    const next: Input = [...input, ...(output as Input), { role: 'user', content: prompt }];
    const { output_text: second } = await send(caller, { ...request, input: next }, stream);
    const parts = output.flatMap((item) =>
      item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])].map(({ text }) => text) : [],
    );
    return { reasoning: parts.join(''), first, second };
  },

  see: ({ prompt, ...question }, png) =>
    respond(question, [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: prompt },
          { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${png}` },
        ],
      },
    ]),

  study: ({ prompt, ...question }, pdf) =>
    respond(question, [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: prompt },
          { type: 'input_file', filename: 'report.pdf', file_data: `data:application/pdf;base64,${pdf}` },
        ],
      },
    ]),

  isError: isOpenAiError,
};

function connect({ url, apiKey }: Omit<Caller, 'model'>): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
}

/** A response that is put together from its events by the library, if streamed. */
async function send(caller: Caller, request: Request, stream: boolean): Promise<OpenAI.Responses.Response> {
  const { responses } = connect(caller);
  if (!stream) return responses.create(request);
  return responses.stream({ ...request, stream: true }).finalResponse();
}

async function respond(question: Omit<Question, 'prompt'>, input: Input): Promise<Reply> {
  const { model, stream, signal, onText } = question;
  const { responses } = connect(question);
  if (!stream) return toReply(await responses.create({ model, input }, { signal }));
  const events = responses.stream({ model, input, stream }, { signal });
  for await (const event of events) if (event.type === 'response.output_text.delta') onText?.(event.delta);
  return toReply(await events.finalResponse());
}

function toReply({ output_text: text, usage }: OpenAI.Responses.Response): Reply {
  return { text, usage: usage && { input: usage.input_tokens, output: usage.output_tokens } };
}

import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { STATUSES, type Caller, type Client, type ErrorKind, type Question, type Reply } from './client.ts';

type Content = Anthropic.MessageParam['content'];

const CLASSES: Readonly<Record<ErrorKind, new (...parts: never[]) => { readonly status: unknown }>> = {
  'bad request': Anthropic.BadRequestError,
  unauthorized: Anthropic.AuthenticationError,
  'payment required': Anthropic.PaymentRequiredError,
  forbidden: Anthropic.PermissionDeniedError,
  'not found': Anthropic.NotFoundError,
  'too large': Anthropic.ContentTooLargeError,
  'rate limit': Anthropic.RateLimitError,
  'server error': Anthropic.InternalServerError,
  overloaded: Anthropic.ServiceUnavailableError,
  timeout: Anthropic.GatewayTimeoutError,
};
const MAX_TOKENS = 4000;

export const anthropic: Client = {
  name: '`@anthropic-ai/sdk`',
  package: '@anthropic-ai/sdk',
  surface: 'messages',

  ask: ({ prompt, ...question }) => ask(question, prompt),

  async callTools({ prompt, stream, ...caller }, { name, description, parameters, run }) {
    const runner = connect(caller).beta.messages.toolRunner({
      model: caller.model,
      max_tokens: MAX_TOKENS,
      messages: [{ role: 'user', content: prompt }],
      tools: [betaZodTool({ name, description, inputSchema: parameters, run: ({ city }) => run(city) })],
      stream,
    });
    const { content } = await runner.runUntilDone();
    return { text: toText(content) };
  },

  async fillIn({ prompt, stream, ...caller }, schema) {
    const { messages } = connect(caller);
    const request = {
      model: caller.model,
      max_tokens: MAX_TOKENS,
      messages: [{ role: 'user' as const, content: prompt }],
      output_config: { format: zodOutputFormat(schema) },
    };
    const message = stream ? await messages.stream(request).finalMessage() : await messages.parse(request);
    return message.parsed_output;
  },

  async think({ prompt, stream, ...caller }) {
    const question: Anthropic.MessageParam = { role: 'user', content: prompt };
    const request: Anthropic.MessageCreateParamsNonStreaming = {
      model: caller.model,
      max_tokens: MAX_TOKENS,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [question],
    };
    const { messages } = connect(caller);
    const send = (params: typeof request): Promise<Anthropic.Message> =>
      stream ? messages.stream(params).finalMessage() : messages.create(params);
    const { content } = await send(request);
    const next = await send({ ...request, messages: [question, { role: 'assistant', content }, question] });
    const reasoning = content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join('');
    return { reasoning, first: toText(content), second: toText(next.content) };
  },

  see: ({ prompt, ...question }, png) =>
    ask(question, [
      { type: 'text', text: prompt },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
    ]),

  study: ({ prompt, ...question }, pdf) =>
    ask(question, [
      { type: 'text', text: prompt },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf } },
    ]),

  isError: (error, kind) => error instanceof CLASSES[kind] && error.status === STATUSES[kind],
};

function connect({ url, apiKey }: Omit<Caller, 'model'>): Anthropic {
  return new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
}

async function ask(question: Omit<Question, 'prompt'>, content: Content): Promise<Reply> {
  const { model, stream, signal, onText } = question;
  const { messages } = connect(question);
  const request: Anthropic.MessageCreateParamsNonStreaming = {
    model,
    max_tokens: MAX_TOKENS,
    messages: [{ role: 'user', content }],
  };
  if (!stream) return toReply(await messages.create(request, { signal }));
  const events = messages.stream(request, { signal });
  if (onText !== undefined) events.on('text', onText);
  return toReply(await events.finalMessage());
}

function toReply({ content, usage }: Anthropic.Message): Reply {
  return { text: toText(content), usage: { input: usage.input_tokens, output: usage.output_tokens } };
}

function toText(content: readonly { readonly type: string; readonly text?: unknown }[]): string {
  return content.map((block) => (block.type === 'text' ? String(block.text) : '')).join('');
}

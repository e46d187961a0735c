import Anthropic from '@anthropic-ai/sdk';
import { Mistral } from '@mistralai/mistralai';
import { OpenRouter } from '@openrouter/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  readRecordings,
  startRecordedProviders,
  type Expected,
  type Recording,
  type RecordedProviders,
} from './recorded-providers.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

/** What a client library has made of an answer, in the words of the recordings. */
interface Read {
  readonly text: string;
  readonly reasoning: string;
  readonly tools: readonly { readonly name: string; readonly arguments: string }[];
  /** `undefined` where the format has no word for it. */
  readonly finish: string | null | undefined;
  readonly prompt: number;
  readonly completion: number;
}

const STREAMS = readRecordings('stream');
const ANSWERS = readRecordings('answer');
const ERRORS = readRecordings('error');
const USER = [{ role: 'user' as const, content: 'Hello' }];

let providers: RecordedProviders;
let hub: TestGateway;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  providers = await startRecordedProviders([...STREAMS, ...ANSWERS, ...ERRORS]);
  hub = await startTestGateway({ config: providers.config });
  openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0 });
});
afterAll(async () => {
  await hub.close();
  await providers.close();
});

const SURFACES: Readonly<Record<string, (model: string, stream: boolean) => Promise<Read>>> = {
  messages: async (model, stream) => {
    const body = { model, max_tokens: 1000, messages: USER };
    const message = stream
      ? await anthropic.messages.stream(body).finalMessage()
      : await anthropic.messages.create(body);
    const { content, usage } = message;
    return {
      text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      reasoning: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
      tools: content
        .filter((block) => block.type === 'tool_use')
        .map((block) => ({ name: block.name, arguments: JSON.stringify(block.input) })),
      finish: message.stop_reason,
      prompt: usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      completion: usage.output_tokens,
    };
  },
  responses: async (model, stream) => {
    const body = { model, input: 'Hello' };
    const response = stream ? await openai.responses.stream(body).finalResponse() : await openai.responses.create(body);
    const { output, usage } = response;
    return {
      text: output
        .flatMap((item) => (item.type === 'message' ? item.content : []))
        .map((part) => (part.type === 'output_text' ? part.text : part.refusal))
        .join(''),
      reasoning: output
        .flatMap((item) => (item.type === 'reasoning' ? item.summary : []))
        .map(({ text }) => text)
        .join(''),
      tools: output.flatMap((item) =>
        item.type === 'function_call' ? [{ name: item.name, arguments: item.arguments }] : [],
      ),
      finish: undefined,
      prompt: usage?.input_tokens ?? 0,
      completion: usage?.output_tokens ?? 0,
    };
  },
  'chat completions': async (model, stream) => {
    const body = { model, messages: USER };
    const completion = stream
      ? await openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion()
      : await openai.chat.completions.create(body);
    const [choice] = completion.choices;
    const message = choice?.message as unknown as Readonly<Record<string, unknown>>;
    const calls = choice?.message.tool_calls ?? [];
    return {
      text: [message['content'], message['refusal']].filter((part) => typeof part === 'string').join(''),
      reasoning: [message['reasoning_content'] ?? message['reasoning']]
        .filter((part) => typeof part === 'string')
        .join(''),
      tools: calls.flatMap((call) => ('function' in call ? [call.function] : [])),
      finish: choice?.finish_reason,
      prompt: completion.usage?.prompt_tokens ?? 0,
      completion: completion.usage?.completion_tokens ?? 0,
    };
  },
};

async function readWithMistral(model: string): Promise<string> {
  const mistral = new Mistral({ apiKey: KEY, serverURL: hub.url, retryConfig: { strategy: 'none' } });
  let text = '';
  for await (const { data } of await mistral.chat.stream({ model, messages: USER })) {
    const content = data.choices[0]?.delta.content;
    if (typeof content === 'string') text += content;
  }
  return text;
}

async function readWithOpenRouter(model: string): Promise<string> {
  const { chat } = new OpenRouter({ apiKey: KEY, serverURL: `${hub.url}/v1`, retryConfig: { strategy: 'none' } });
  const chunks = await chat.send({ chatRequest: { model, messages: USER, stream: true } });
  if ('choices' in chunks) throw new Error('no stream');
  let text = '';
  for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? '';
  return text;
}

/** Anthropic's words for the reasons in which recordings end. */
const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

/** What is no JSON, as models sometimes write it, a client library takes for nothing. */
function readArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Recordings that hold nothing of an answer never become a stream. */
function isEmpty({ text, reasoning, tool_calls: calls, finish_reason: finish }: Expected): boolean {
  return text === '' && reasoning === '' && calls.length === 0 && finish === null;
}

function expectRead(read: Read, { name, type, expected }: Recording, surface: string): void {
  const { text, refusal = '', reasoning, tool_calls: calls, usage } = expected;
  expect(read.text).toBe(text + (text.includes(refusal) ? '' : refusal));
  expect(read.reasoning.replaceAll(/\s/g, '')).toBe(reasoning.replaceAll(/\s/g, ''));
  expect(read.tools.map((call) => [call.name, readArguments(call.arguments)])).toEqual(
    calls.map((call) => [call.name, call.input ?? readArguments(call.arguments ?? '')]),
  );
  if (surface === 'messages' && type === 'openai' && expected.finish_reason !== null && refusal === '') {
    // Some say only `stop` of a call that the model was made to make.
    const reason = expected.finish_reason === 'stop' && calls.length > 0 ? 'tool_calls' : expected.finish_reason;
    expect(read.finish).toBe(STOP_REASONS[reason] ?? 'end_turn');
  }
  if (typeof usage?.['prompt_tokens'] !== 'number' || typeof usage['completion_tokens'] !== 'number') return;
  expect(read.prompt).toBe(usage['prompt_tokens']);
  const apart = name.startsWith('xai/') && surface !== 'chat completions' ? (usage['reasoning_tokens'] ?? 0) : 0;
  expect(read.completion).toBe(usage['completion_tokens'] + apart);
}

describe.skipIf(STREAMS.length === 0)('what providers sent (needs ../shared/wire)', () => {
  // Chat completions of the same dialect, byte for byte, are the business of recordings.test.ts.
  describe.each(['messages', 'responses'])('as a stream on %s', (surface) => {
    it.each(STREAMS.map((recording) => [recording.name, recording] as const))('%s', async (_name, recording) => {
      const { expected, name } = recording;
      const reading = SURFACES[surface]?.(name, true);
      if (expected.error !== null) {
        await expect(reading).rejects.toThrow();
        return;
      }
      const read = await reading;
      if (read === undefined) throw new Error('no such surface');
      if (!isEmpty(expected)) expectRead(read, recording, surface);
    });
  });

  describe('as a stream of tool calls that leaves out what OpenAI’s client insists on', () => {
    const bare = STREAMS.filter(({ name, expected }) => name.startsWith('mistral/') && expected.tool_calls.length > 0);
    it.each(bare.map((recording) => [recording.name, recording] as const))(
      '%s is read by that client all the same',
      async (name, recording) => {
        const read = await SURFACES['chat completions']?.(name, true);
        if (read === undefined) throw new Error('no such surface');
        expectRead(read, recording, 'chat completions');
      },
    );
  });

  // T5b: where providers put `"usage":null` on each chunk, which these clients refuse.
  const marked = STREAMS.filter(({ type, body, expected }) => {
    return type === 'openai' && expected.error === null && /"usage": ?null/.test(body.toString());
  });
  describe('with usage that nobody asked for', () => {
    it.each(marked.map((recording) => [recording.name, recording] as const))(
      '%s is read by the strict clients, or refused for something else that its provider sends',
      async (name, { expected }) => {
        for (const read of [readWithMistral, readWithOpenRouter]) {
          const text = await read(name).catch((error: unknown) => error);
          if (text instanceof Error) expect(text.message).not.toContain('usage');
          else expect(text).toBe(expected.text);
        }
      },
    );

    it('is read whole by both, where the provider sends nothing else that is odd', async () => {
      expect(await readWithMistral('openai/cached-prompt-tokens')).not.toBe('');
      expect(await readWithOpenRouter('openai/cached-prompt-tokens')).not.toBe('');
    });
  });

  describe.each(Object.keys(SURFACES))('as a complete answer on %s', (surface) => {
    it.each(ANSWERS.map((recording) => [recording.name, recording] as const))('%s', async (_name, recording) => {
      const read = await SURFACES[surface]?.(recording.name, false);
      if (read === undefined) throw new Error('no such surface');
      // Mistral's content is a list of parts, relayed as it is where its dialect is spoken.
      expectRead(read, recording, surface);
    });
  });

  describe.each(Object.keys(SURFACES))('as an error on %s', (surface) => {
    it.each(ERRORS.map((recording) => [recording.name, recording] as const))(
      '%s',
      async (_name, { name, expected }) => {
        const error: unknown = await SURFACES[surface]?.(name, false).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(surface === 'messages' ? Anthropic.APIError : OpenAI.APIError);
        const { status, message } = error as { status: number; message: string };
        expect(status).toBeGreaterThanOrEqual(400);
        const said = (expected as unknown as { message?: string | null }).message ?? '';
        // Nothing of a provider's own words is passed on.
        if (said.length > 20) expect(message).not.toContain(said);
      },
    );
  });
});

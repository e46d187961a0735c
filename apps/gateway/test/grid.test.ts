import Anthropic from '@anthropic-ai/sdk';
import { Mistral } from '@mistralai/mistralai';
import { OpenRouter } from '@openrouter/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Surface } from './clients/client.ts';
import { expectInDocument, Findings } from './clients/table.ts';
import { toRecordingTables, type Aspect, type KnownFault } from './recording-tables.ts';
import {
  readRecordings,
  startRecordedProviders,
  type Expected,
  type ExpectedError,
  type Recording,
  type RecordedProviders,
} from './recorded-providers.ts';
import { SURFACES, type Read } from './surface-readers.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const SURFACE_NAMES = Object.keys(SURFACES) as Surface[];
const STREAMS = readRecordings('stream');
const ANSWERS = readRecordings('answer');
const ERRORS = readRecordings('error');
/** Each way to meet an error has a provider of its own, which no other has harmed. */
const ERROR_WAYS = SURFACE_NAMES.flatMap((surface) => [false, true].map((stream) => ({ surface, stream })));

const findings = new Findings();
let providers: RecordedProviders;
let hub: TestGateway;
let run = 0;
let planned = 0;
beforeAll(async () => {
  const errors = ERRORS.flatMap((recording) =>
    ERROR_WAYS.map((way) => ({ ...recording, name: nameOfError(recording, way) })),
  );
  providers = await startRecordedProviders([...STREAMS, ...ANSWERS, ...errors]);
  hub = await startTestGateway({ config: providers.config });
});
afterAll(async () => {
  await hub.close();
  await providers.close();
});

function nameOfError({ name }: Recording, { surface, stream }: (typeof ERROR_WAYS)[number]): string {
  return `${name}/${surface.replace(' ', '-')}${stream ? '/stream' : ''}`;
}

/** What is known not to be as it should; tried all the same, so that the entry goes when the fault does. */
const KNOWN: readonly KnownFault[] = [
  {
    surface: 'chat completions',
    name: 'openai/legacy-completion-ada',
    aspect: 'text',
    why: 'OpenAI’s old completions, from whoever answers with them to a request for chat, are relayed as they are, which clients of chat read as an empty answer.',
  },
  {
    surface: 'chat completions',
    name: 'cerebras/reasoning',
    aspect: 'reasoning',
    why: 'Cerebras has no preset, and of a provider like OpenAI it is not known that its reasoning is called `reasoning`: it is relayed under that name alone.',
  },
];

/** Runs the checks of each aspect, notes how they went, and fails with the first that failed. */
function checkAspects(
  surface: Surface,
  { name, provider }: Recording,
  checks: Partial<Record<Aspect, () => void>>,
): void {
  run++;
  const failures: unknown[] = [];
  for (const [aspect, check] of Object.entries(checks)) {
    const isKnown = KNOWN.some((one) => one.surface === surface && one.name === name && one.aspect === aspect);
    let failure: unknown;
    try {
      check();
    } catch (error) {
      failure = error;
    }
    findings.note([provider, surface, aspect], failure === undefined);
    if (!isKnown && failure !== undefined) failures.push(failure);
    if (isKnown && failure === undefined) failures.push(new Error(`${aspect} is mended: take it off the list`));
  }
  if (failures.length > 0) throw failures[0];
}

/** A test for each recording and surface. */
function each(
  surfaces: readonly Surface[],
  recordings: readonly Recording[],
  check: (surface: Surface, recording: Recording) => Promise<void>,
): void {
  const cases = recordings.flatMap((recording) =>
    surfaces.map((surface) => ({ name: recording.name, surface, recording })),
  );
  planned += cases.length;
  it.each(cases)('$name on $surface', ({ surface, recording }) => check(surface, recording));
}

/** Anthropic's words for the reasons in which recordings end. */
const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};
/** Why a response is incomplete; any other is completed. */
const INCOMPLETE: Readonly<Record<string, string>> = { length: 'max_output_tokens', content_filter: 'content_filter' };

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

function checkRead(read: Read, recording: Recording, surface: Surface): void {
  const { expected } = recording;
  const { text, refusal = '', reasoning, tool_calls: calls, usage } = expected;
  const whole = text + (text.includes(refusal) ? '' : refusal);
  checkAspects(surface, recording, {
    ...((whole !== '' || read.text !== '') && { text: () => expect(read.text).toBe(whole) }),
    ...((calls.length > 0 || read.tools.length > 0) && { tools: () => expectTools(read, expected) }),
    ...((reasoning !== '' || read.reasoning !== '') && { reasoning: () => expectReasoning(read, expected) }),
    ...(typeof usage?.['prompt_tokens'] === 'number' && { usage: () => expectUsage(read, recording, surface) }),
    ...(expected.finish_reason !== null && { finish: () => expectFinish(read, recording, surface) }),
    ...(expected.blocks?.some(({ citations }) => citations !== undefined) &&
      read.citations !== undefined && {
        citations: () =>
          expect(read.citations).toBe(expected.blocks?.reduce((sum, block) => sum + (block.citations ?? 0), 0)),
      }),
  });
}

function expectTools({ tools }: Read, { tool_calls: calls }: Expected): void {
  expect(tools.map((call) => [call.name, readArguments(call.arguments)])).toEqual(
    calls.map((call) => [call.name, call.input ?? readArguments(call.arguments ?? '')]),
  );
  expect(tools.map(({ id }) => id)).toEqual(calls.map(({ id }) => id ?? expect.any(String)));
}

function expectReasoning(read: Read, { reasoning, blocks = [] }: Expected): void {
  expect(read.reasoning).toBe(reasoning);
  const signatures = blocks.flatMap(({ signature_length: length = 0 }) => (length > 0 ? [length] : []));
  if (signatures.length > 0) expect(read.signatures).toEqual(signatures);
}

function expectUsage(read: Read, { provider, expected }: Recording, surface: Surface): void {
  const {
    prompt_tokens: prompt,
    completion_tokens: completion,
    cached_tokens: cached,
    reasoning_tokens: reasoned,
  } = expected.usage ?? {};
  if (typeof prompt !== 'number' || typeof completion !== 'number') return;
  expect(read.prompt).toBe(prompt);
  // xAI counts reasoning beside the completion.
  const apart = provider === 'xai' && surface !== 'chat completions' ? (reasoned ?? 0) : 0;
  expect(read.completion).toBe(completion + apart);
  // A part is never larger than its whole, whatever a provider says; relayed it stands where the provider put it.
  const bounded = (part: number, of: number): number => (surface === 'chat completions' ? part : Math.min(part, of));
  if (typeof cached === 'number') expect(read.cached ?? 0).toBe(bounded(cached, prompt));
  // Together says them beside the details, where they are relayed.
  const isBeside = provider === 'together' && surface === 'chat completions';
  if (typeof reasoned === 'number' && !isBeside) expect(read.reasoned ?? 0).toBe(bounded(reasoned, completion + apart));
}

function expectFinish(read: Read, { dialect, expected }: Recording, surface: Surface): void {
  const { finish_reason: said, stop_reason: native, tool_calls: calls, refusal = '' } = expected;
  if (said === null) return;
  // Some say only `stop` of a call that the model was made to make.
  const reason = said === 'stop' && calls.length > 0 ? 'tool_calls' : said;
  switch (surface) {
    case 'chat completions':
      return expect(read.finish).toBe(said);
    case 'responses':
      return expect(read.finish).toBe(INCOMPLETE[reason] ?? 'completed');
    case 'messages':
      if (dialect === 'anthropic') return expect(read.finish).toBe(native);
      return expect(read.finish).toBe(refusal === '' ? (STOP_REASONS[reason] ?? 'end_turn') : 'refusal');
  }
}

/** Streams that begin with an error: it becomes the status that it would have had. */
const STATUSES_AT_FIRST: Readonly<Record<string, number>> = {
  'anthropic/rate-limited-first-event': 429,
  'dashscope/error-only': 400,
  'openrouter/error-only-b': 400,
};
/** Recordings in which a provider says of the request that it is too long. */
const TOO_LONG = /prompt-too-long|request-too-large|context-length/;
/** Recordings in which a 400 does not blame the request: the key, or the model that the configuration names. */
const NOT_OF_THE_REQUEST = /400-(?:wrong-key|model-not-exist|invalid-model)/;

/** The status that a caller sees, and the reason in its body. */
function toOutcome({ name, expected: { status } }: Recording): readonly [status: number, reason: string] {
  if (TOO_LONG.test(name)) return [400, 'context_length_exceeded'];
  if (status === 429) return [429, 'upstream_rate_limited'];
  if (status === 401 || status === 403 || name.endsWith('400-wrong-key')) return [502, 'upstream_auth'];
  if ((status === 400 || status === 422) && !NOT_OF_THE_REQUEST.test(name)) return [400, 'upstream_rejected'];
  return [502, 'upstream_unavailable'];
}

/** The classes of both libraries for a status. */
const CLASSES = {
  400: { messages: Anthropic.BadRequestError, other: OpenAI.BadRequestError },
  429: { messages: Anthropic.RateLimitError, other: OpenAI.RateLimitError },
  502: { messages: Anthropic.InternalServerError, other: OpenAI.InternalServerError },
};

/** What Anthropic calls an error of a status; there is no place for a reason. */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  429: 'rate_limit_error',
  502: 'api_error',
};

function expectError(error: unknown, recording: Recording, surface: Surface): void {
  const { message: said, param, retry_after_s: retryAfter }: ExpectedError = recording.expected;
  const [status, reason] = toOutcome(recording);
  const { messages, other } = CLASSES[status as keyof typeof CLASSES];
  expect(error).toBeInstanceOf(surface === 'messages' ? messages : other);
  const { headers, message, ...rest } = error as { headers: Headers; message: string; error: Record<string, unknown> };
  expect(rest).toMatchObject({ status });
  if (surface === 'messages') {
    expect(rest.error['error']).toMatchObject({ type: ANTHROPIC_TYPES[status] });
  } else {
    expect(rest.error['reason']).toBe(reason);
    if (reason === 'upstream_rejected' && param !== null) expect(rest.error['param']).toBe(param);
  }
  if (typeof retryAfter === 'number') expect(headers.get('retry-after')).toBe(String(retryAfter));
  // Nothing of a provider's own words is passed on.
  if (said !== null && said.length > 20) expect(message).not.toContain(said);
}

interface StrictClient {
  readonly client: string;
  readonly read: (url: string, model: string) => Promise<string>;
  /** Recordings that it refuses, and a word of what it says about that. */
  readonly refused: Readonly<Record<string, string>>;
}

const STRICT: readonly StrictClient[] = [
  {
    client: '@mistralai/mistralai',
    read: async (url, model) => {
      const { chat } = new Mistral({ apiKey: KEY, serverURL: url, retryConfig: { strategy: 'none' } });
      let text = '';
      for await (const { data } of await chat.stream({ model, messages: [{ role: 'user', content: 'Hello' }] })) {
        const content = data.choices[0]?.delta.content;
        if (typeof content === 'string') text += content;
      }
      return text;
    },
    refused: {
      'azure-openai/tool-gpt5-mini': 'tool_calls',
      'deepseek/tool-after-text': 'tool_calls',
      'deepseek/tool-no-arguments-cached': 'tool_calls',
      'openai/parallel-tools-gpt5': 'tool_calls',
      'other/web-search-annotations': 'finish_reason',
      'together/reasoning-parallel-tools': 'tool_calls',
      'together/reasoning-tool': 'tool_calls',
      'vllm/tool-qwen3-06b': 'tool_calls',
    },
  },
  {
    client: '@openrouter/sdk',
    read: async (url, model) => {
      const { chat } = new OpenRouter({ apiKey: KEY, serverURL: `${url}/v1`, retryConfig: { strategy: 'none' } });
      const messages = [{ role: 'user' as const, content: 'Hello' }];
      const chunks = await chat.send({ chatRequest: { model, messages, stream: true } });
      if ('choices' in chunks) throw new Error('no stream');
      let text = '';
      for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    },
    refused: {
      'azure-openai/model-router': 'chat.completion.chunk',
      'azure-openai/tool-gpt5-mini': 'chat.completion.chunk',
      'openai/length-all-reasoning-no-text': 'system_fingerprint',
      'openai/parallel-tools-gpt5': 'system_fingerprint',
      'openai/text-o4-mini-reasoning-tokens': 'system_fingerprint',
      'other/processing-comment': 'tool_calls',
      'other/web-search-annotations': 'finish_reason',
      'together/reasoning-parallel-tools': 'tool_calls',
      'together/reasoning-tool': 'tool_calls',
      'vllm/reasoning-usage-qwen3-06b': 'tool_calls',
      'vllm/tool-qwen3-06b': 'tool_calls',
    },
  },
];

describe.skipIf(STREAMS.length === 0)('what providers sent (needs ../shared/wire)', () => {
  describe('as a stream', () => {
    // Of the same dialect, byte for byte: recordings.test.ts.
    each(SURFACE_NAMES, STREAMS, async (surface, recording) => {
      const { expected, name } = recording;
      if (expected.error === null) {
        const read = await SURFACES[surface].read(hub.url, name, true);
        if (isEmpty(expected)) run++;
        else checkRead(read, recording, surface);
        return;
      }
      const broken = await SURFACES[surface].readUntilError(hub.url, name);
      checkAspects(surface, recording, {
        errors() {
          expect(broken.error).toBeDefined();
          expect(broken.text).toBe(expected.text);
          expect(broken.reasoning).toBe(expected.reasoning);
          const status = STATUSES_AT_FIRST[name];
          if (status !== undefined) expect(broken.error).toMatchObject({ status });
        },
      });
    });
  });

  describe('as a stream of tool calls that leaves out what OpenAI’s client insists on', () => {
    const bare = STREAMS.filter(({ provider, expected }) => provider === 'mistral' && expected.tool_calls.length > 0);
    it.each(bare)('$name is put together by that client all the same', async ({ name, expected }) => {
      const { chat } = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
      const request = { model: name, messages: [{ role: 'user' as const, content: 'Hello' }] };
      const { choices } = await chat.completions.stream(request).finalChatCompletion();
      expect(choices[0]?.message.tool_calls).toMatchObject(
        expected.tool_calls.map((call) => ({ id: call.id, function: { name: call.name, arguments: call.arguments } })),
      );
    });
  });

  // T5b: where providers put `"usage":null` on each chunk, which these clients refuse.
  describe('with usage that nobody asked for', () => {
    const marked = STREAMS.filter(({ dialect, body, expected }) => {
      return dialect === 'openai' && expected.error === null && /"usage": ?null/.test(body.toString());
    });
    describe.each(STRICT)('$client', ({ read, refused }) => {
      it.each(marked)('reads $name whole, or refuses what else is odd in it', async ({ name, expected }) => {
        const text = await read(hub.url, name).catch((error: unknown) => error);
        const why = refused[name];
        if (why === undefined) return expect(text).toBe(expected.text);
        expect(text).toBeInstanceOf(Error);
        expect(String(text)).toContain(why);
        expect(String(text)).not.toContain('usage');
      });
    });
  });

  describe('as a complete answer', () => {
    each(SURFACE_NAMES, ANSWERS, async (surface, recording) => {
      checkRead(await SURFACES[surface].read(hub.url, recording.name, false), recording, surface);
    });
  });

  describe.each([false, true])('as an error, stream: %s', (stream) => {
    each(SURFACE_NAMES, ERRORS, async (surface, recording) => {
      const asked = SURFACES[surface].read(hub.url, nameOfError(recording, { surface, stream }), stream);
      const error: unknown = await asked.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      checkAspects(surface, recording, { errors: () => expectError(error, recording, surface) });
    });
  });

  it('has the tables of docs/clients.md', async ({ skip }) => {
    if (run < planned) skip('only some of the recordings were read');
    await expectInDocument(
      'recordings',
      toRecordingTables({ recordings: [...STREAMS, ...ANSWERS, ...ERRORS], findings, known: KNOWN }),
    );
  });
});

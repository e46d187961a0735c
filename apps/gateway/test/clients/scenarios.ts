import { simulatedTokens } from '@tokenhub/simulator';
import { expect } from 'vitest';
import { z } from 'zod';
import { ALL_PROVIDERS, KEY, type TestGateway } from '../test-gateway.ts';
import type { Client, ErrorKind, Question, ScenarioName, Thoughts, Tool } from './client.ts';

/** One client, one model, and the gateway between them. */
export interface Bench {
  readonly hub: TestGateway;
  /** The address of a gateway that has no room for a request. */
  readonly fullUrl: string;
  readonly client: Client;
  readonly model: string;
}

/** A column of the table: it holds when all its cases do. */
export interface Scenario {
  readonly name: ScenarioName;
  /** The function of the client without which there is nothing to try. */
  readonly needs?: 'callTools' | 'fillIn' | 'think' | 'see' | 'study';
  /** What must hold, by the sentence that says it. */
  readonly cases: Readonly<Record<string, (bench: Bench) => Promise<void>>>;
}

const TEXT = simulatedTokens(7, 1).join('');
const REASONING = simulatedTokens(5, 2).join('');
const HELLO = 'Hello [simulate tokens=7 prompt=20]';
const PDF = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n').toString('base64');
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const POOR_KEY = 'tokenhub_poor-0123456789ab';
const PLANNER_KEY = 'tokenhub_planner-0123456789ab';
/** How long a silent provider is waited for. */
const PATIENCE_MS = 20;
const TOO_MUCH = 'x'.repeat(10 * 1024 * 1024);
/** What brings about each failure, by a sentence on it. */
const FAILURES: readonly (readonly [ErrorKind, string, (bench: Bench) => Partial<Question>])[] = [
  ['bad request', 'what its provider refuses', () => ({ prompt: '[simulate status=400]' })],
  ['unauthorized', 'a key that is not valid', () => ({ apiKey: 'tokenhub_nobody-0123456789' })],
  ['payment required', 'a budget that is used up', () => ({ apiKey: POOR_KEY })],
  ['forbidden', 'a key that may not chat', () => ({ apiKey: PLANNER_KEY })],
  ['not found', 'no such model', () => ({ model: 'gpt-9' })],
  ['too large', 'a body of more than 10 MiB', () => ({ prompt: TOO_MUCH })],
  ['rate limit', 'a provider at its limit', () => ({ prompt: '[simulate status=429]' })],
  ['server error', 'a provider that fails', () => ({ prompt: '[simulate status=500]' })],
  ['server error', 'a provider that is overloaded', () => ({ prompt: '[simulate status=529]' })],
  ['overloaded', 'a gateway without room', ({ fullUrl }) => ({ url: fullUrl })],
  ['timeout', 'a provider that is silent', (bench) => ({ model: silentModel(bench.client, bench.model) })],
];

/** A model of the matrix, and where the simulator serves its provider's dialect. */
interface Served {
  readonly model: string;
  readonly type: 'openai' | 'anthropic' | 'vllm';
  readonly path: string;
}

/** Of {@link ALL_PROVIDERS}. */
const SERVED: readonly Served[] = [
  { model: 'gpt-4', type: 'openai', path: 'openai/v1' },
  { model: 'claude-sonnet-4', type: 'anthropic', path: 'anthropic' },
  { model: 'llama', type: 'vllm', path: 'vllm/v1' },
];

/** One for each client, since a breaker opens at five failures in a row. */
function silentModel({ name }: Pick<Client, 'name'>, model: string): string {
  return `silent-${model}-${name.replaceAll(/[^a-z]+/gi, '-')}`;
}

/** A configuration with which all scenarios can be tried. */
export function toConfig(clients: readonly Pick<Client, 'name'>[]): string {
  const providers = SERVED.map(
    ({ model, type, path }) =>
      `  - { id: "silent-${model}", type: ${type}, base_url: "\${SIMULATOR}/sim/fault=silent/${path}", api_key: k, allow_private: true, timeouts: { first_event_ms: ${PATIENCE_MS}, whole_answer_ms: ${PATIENCE_MS} } }`,
  );
  const models = SERVED.flatMap(({ model }) =>
    clients.map(
      (client) =>
        `  - { id: "${silentModel(client, model)}", deployments: [{ provider: "silent-${model}", model: "${silentModel(client, model)}" }], price: free }`,
    ),
  );
  return [
    ALL_PROVIDERS.replace('models:\n', `${providers.join('\n')}\nmodels:\n${models.join('\n')}\n`),
    `  - { id: poor, key: ${POOR_KEY}, limits: { budget_day_usd: "0.000000001" } }`,
    `  - { id: planner, key: ${PLANNER_KEY}, scopes: [plan] }`,
    // One attempt: the pauses between several would be most of the time this takes.
    'routing: { max_attempts: 1 }',
    '',
  ].join('\n');
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'plain',
    cases: {
      'gets a whole answer': async (bench) => {
        expect((await ask(bench)).text).toBe(TEXT);
      },
    },
  },
  {
    name: 'streamed',
    cases: {
      'gets an answer piece by piece': async (bench) => {
        const pieces: string[] = [];
        const { text } = await ask(bench, { stream: true, onText: (piece) => pieces.push(piece) });
        expect(text).toBe(TEXT);
        expect(pieces.join('')).toBe(TEXT);
        expect(pieces.length).toBeGreaterThan(1);
      },
    },
  },
  {
    name: 'usage',
    cases: {
      'is told the usage of a whole answer': async (bench) => {
        expect((await ask(bench)).usage).toEqual({ input: 20, output: 7 });
      },
    },
  },
  {
    name: 'usage of a stream',
    cases: {
      'is told the usage of a stream': async (bench) => {
        expect((await ask(bench, { stream: true, wantsUsage: true })).usage).toEqual({ input: 20, output: 7 });
      },
    },
  },
  {
    name: 'tools',
    needs: 'callTools',
    cases: {
      'calls a tool and answers with its result': (bench) => callTools(bench, { stream: false, count: 1 }),
      'calls two tools at once and answers with their results': (bench) =>
        callTools(bench, { stream: false, count: 2 }),
      'calls a tool and answers with its result, streamed': (bench) => callTools(bench, { stream: true, count: 1 }),
      'calls two tools at once and answers with their results, streamed': (bench) =>
        callTools(bench, { stream: true, count: 2 }),
    },
  },
  {
    name: 'structured output',
    needs: 'fillIn',
    cases: {
      'gets an answer of a JSON schema': (bench) => fillIn(bench, false),
      'gets an answer of a JSON schema, streamed': (bench) => fillIn(bench, true),
    },
  },
  {
    name: 'reasoning',
    needs: 'think',
    cases: {
      'shows the reasoning': (bench) => showReasoning(bench, false),
      'shows the reasoning, streamed': (bench) => showReasoning(bench, true),
    },
  },
  {
    name: 'reasoning sent back',
    needs: 'think',
    cases: {
      'sends the reasoning back in a second turn': (bench) => returnReasoning(bench, false),
      'sends the reasoning back in a second turn, streamed': (bench) => returnReasoning(bench, true),
    },
  },
  {
    name: 'images',
    needs: 'see',
    cases: {
      'shows an image to the model': (bench) => see(bench, false),
      'shows an image to the model, streamed': (bench) => see(bench, true),
    },
  },
  {
    name: 'documents',
    needs: 'study',
    cases: {
      'has the model read a document': (bench) => study(bench, false),
      'has the model read a document, streamed': (bench) => study(bench, true),
    },
  },
  {
    name: 'abort',
    cases: {
      'stops the provider when it leaves a stream': async (bench) => {
        const controller = new AbortController();
        await left(bench, { stream: true, signal: controller.signal, onText: () => controller.abort() });
      },
      'stops the provider when it no longer waits for a whole answer': async (bench) => {
        const controller = new AbortController();
        const leaving = left(bench, { stream: false, signal: controller.signal });
        await expect.poll(() => bench.hub.simulator.activeStreams, { interval: 5 }).toBe(1);
        controller.abort();
        await leaving;
      },
    },
  },
  {
    name: 'errors',
    cases: Object.fromEntries(
      FAILURES.flatMap(([kind, cause, toFailing]) =>
        [false, true].map((stream) => [
          `throws its own error for ${kind}: ${cause}${stream ? ', streamed' : ''}`,
          async (bench: Bench) => {
            const error = await thrown(ask(bench, { ...toFailing(bench), stream }));
            expect(bench.client.isError(error, kind), String(error).slice(0, 500)).toBe(true);
            // What comes after it is not harmed by it; besides, a breaker opens at five failures in a row.
            if (stream) expect((await ask(bench, { stream })).text).toBe(TEXT);
          },
        ]),
      ),
    ),
  },
  {
    name: 'broken stream',
    cases: {
      'throws when a stream breaks off after its first content': async (bench) => {
        let text = '';
        const prompt = 'Hello [simulate tokens=50 pace=5 fault=reset after=3]';
        await thrown(ask(bench, { prompt, stream: true, onText: (piece) => (text += piece) }));
        expect(text).not.toBe('');
      },
    },
  },
];

function toQuestion({ hub, model }: Bench, question: Partial<Question> = {}): Question {
  return { url: hub.url, apiKey: KEY, model, prompt: HELLO, stream: false, ...question };
}

function ask(bench: Bench, question: Partial<Question> = {}): ReturnType<Client['ask']> {
  return bench.client.ask(toQuestion(bench, question));
}

async function thrown(pending: Promise<unknown>): Promise<unknown> {
  const end: { error: unknown } | { value: unknown } = await pending.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in end) return end.error;
  throw new Error(`nothing was thrown, this was the answer: ${JSON.stringify(end.value)}`);
}

async function callTools(bench: Bench, { stream, count }: { stream: boolean; count: number }): Promise<void> {
  const cities: string[] = [];
  const weather: Tool = {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: z.object({ city: z.string() }),
    run: (city) => `${cities.push(city)} times sunny`,
  };
  const prompt = `What is the weather? [simulate tools=${count}]`;
  const reply = await bench.client.callTools?.(toQuestion(bench, { prompt, stream }), weather);
  expect(cities).toEqual(Array.from({ length: count }, () => 'simulated'));
  expect(reply?.text).toMatch(/^\[simulated\]/);
  for (let time = 1; time <= count; time++) expect(lastBody(bench)).toContain(`${time} times sunny`);
}

async function fillIn(bench: Bench, stream: boolean): Promise<void> {
  const schema = z.object({ city: z.string(), degrees: z.number(), sunny: z.boolean() });
  const prompt = 'What is the weather?';
  const filled = await bench.client.fillIn?.(toQuestion(bench, { prompt, stream }), schema);
  expect(schema.safeParse(filled).error, JSON.stringify(filled)).toBeUndefined();
}

async function think(bench: Bench, stream: boolean): Promise<Thoughts | undefined> {
  return bench.client.think?.(toQuestion(bench, { prompt: 'Think! [simulate tokens=7 reasoning=5]', stream }));
}

async function showReasoning(bench: Bench, stream: boolean): Promise<void> {
  expect(await think(bench, stream)).toMatchObject({ reasoning: REASONING, first: TEXT });
}

/** Anthropic must get its reasoning as it gave it, with the signature; others have no place for it, or read it or not. */
async function returnReasoning(bench: Bench, stream: boolean): Promise<void> {
  expect((await think(bench, stream))?.second).toBe(TEXT);
  const { dialect, body } = bench.hub.simulator.requests.at(-1) ?? {};
  if (dialect !== 'anthropic') return;
  const thinking = { type: 'thinking', thinking: REASONING, signature: expect.any(String) };
  const answered = { role: 'assistant', content: [thinking, { type: 'text', text: TEXT }] };
  expect((body as { messages: unknown }).messages).toMatchObject([{}, answered, {}]);
}

async function see(bench: Bench, stream: boolean): Promise<void> {
  expect((await bench.client.see?.(toQuestion(bench, { stream }), PNG))?.text).toBe(TEXT);
  expect(lastBody(bench)).toContain(PNG);
}

async function study(bench: Bench, stream: boolean): Promise<void> {
  expect((await bench.client.study?.(toQuestion(bench, { stream }), PDF))?.text).toBe(TEXT);
  expect(lastBody(bench)).toContain(PDF);
}

/** A long answer that its caller does not wait for; some libraries throw then, others just end. */
async function left(bench: Bench, question: Partial<Question>): Promise<void> {
  await ask(bench, { prompt: 'Hello [simulate tokens=500 pace=20 delay=50]', ...question }).catch(() => undefined);
  expect(question.signal?.aborted).toBe(true);
  await expect.poll(() => bench.hub.simulator.activeStreams, { interval: 5, timeout: 2_000 }).toBe(0);
}

/** What the provider was sent last. */
function lastBody({ hub }: Bench): string {
  return JSON.stringify(hub.simulator.requests.at(-1)?.body);
}

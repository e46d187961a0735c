import { simulatedTokens } from '@tokenhub/simulator';
import { expect } from 'vitest';
import { z } from 'zod';
import { KEY, type TestGateway } from '../test-gateway.ts';
import type { Client, ErrorKind, Question, ScenarioName, Thoughts, Tool } from './client.ts';

/** One client, one model, and the gateway between them. */
export interface Bench {
  readonly hub: TestGateway;
  readonly client: Client;
  readonly model: string;
}

/** A column of the table: it holds when all its cases do. */
export interface Scenario {
  readonly name: ScenarioName;
  /** The function of the client without which there is nothing to try. */
  readonly needs?: 'callTools' | 'fillIn' | 'think' | 'see';
  /** What must hold, by the sentence that says it. */
  readonly cases: Readonly<Record<string, (bench: Bench) => Promise<void>>>;
}

const TEXT = simulatedTokens(7, 1).join('');
const REASONING = simulatedTokens(5, 2).join('');
const HELLO = 'Hello [simulate tokens=7 prompt=20]';
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const FAILURES: readonly (readonly [ErrorKind, Partial<Question>])[] = [
  ['bad request', { prompt: '[simulate status=400]' }],
  ['unauthorized', { apiKey: 'tokenhub_nobody-0123456789' }],
  ['not found', { model: 'gpt-9' }],
  ['rate limit', { prompt: '[simulate status=429]' }],
  ['server error', { prompt: '[simulate status=500]' }],
];

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
      FAILURES.flatMap(([kind, question]) =>
        [false, true].map((stream) => [
          `throws its own error for ${kind}${stream ? ', streamed' : ''}`,
          async (bench: Bench) => {
            const error = await thrown(ask(bench, { ...question, stream }));
            expect(bench.client.isError(error, kind), String(error)).toBe(true);
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

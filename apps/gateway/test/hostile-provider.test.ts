import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { simulatedTokens } from '@tokenhub/simulator';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCostEvents, type CostEvents } from './cost-events.ts';
import { PROVIDER_TYPES, requestsAt, toConfigText, toProviders, type ProviderType } from './fault-providers.ts';
import { insist, insistentFetch } from './insist.ts';
import { parseStream } from './sse-client.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const CONFIG = toConfigText(
  toProviders([
    ...PROVIDER_TYPES.map((type) => ({ id: type, type })),
    // One connection, so that each request finds what the one before has left.
    ...PROVIDER_TYPES.map((type) => ({ id: `one-socket-${type}`, type, maxConnections: 1 })),
  ]),
  PROVIDER_TYPES.flatMap((type) => [
    { id: type, providers: [type], price: { input: '10', output: '30' } },
    { id: `one-socket-${type}`, providers: [`one-socket-${type}`] },
  ]),
);

let folder: string;
let hub: TestGateway;
let costs: CostEvents;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenhub-hostile-'));
  hub = await startTestGateway({ config: CONFIG, simulator: { recordingsDir: folder } });
  costs = readCostEvents(hub);
  openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0, fetch: insistentFetch });
  anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0, fetch: insistentFetch });
});
afterAll(async () => {
  costs.close();
  await hub.close();
  await rm(folder, { recursive: true });
});

const say = (directives: string): { role: 'user'; content: string }[] => [
  { role: 'user', content: `Hello [simulate ${directives}]` },
];
const ask = (model: string, directives: string, stream = true): Promise<Response> =>
  insist(() => hub.post('/v1/chat/completions', { model, messages: say(directives), stream }));

const READERS = ['openai', 'anthropic'] as const;
type Reader = (typeof READERS)[number];

/** The text as the official package makes it out; throws what that throws. */
const READ: Readonly<Record<Reader, (model: string, directives: string) => Promise<string>>> = {
  async openai(model, directives) {
    let text = '';
    const stream = await openai.chat.completions.create({ model, messages: say(directives), stream: true });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  },
  async anthropic(model, directives) {
    const stream = anthropic.messages.stream({ model, messages: say(directives), max_tokens: 1_000 });
    return stream.finalText();
  },
};

const everyWay = PROVIDER_TYPES.flatMap((type) => READERS.map((reader) => ({ type, reader })));

describe('F57: an answer of 256 MiB without an end', () => {
  it.concurrent.each(
    everyWay.flatMap(({ type, reader }) =>
      ['huge-line', 'endless-data-lines'].map((fault) => ({
        type,
        reader,
        fault,
        label: `${fault}-${type}-${reader}`,
      })),
    ),
  )(
    'is cut off at its limit and not read to the end ($fault, $type, $reader)',
    async ({ type, reader, fault, label }) => {
      await expect(READ[reader](type, `fault=${fault} label=${label}`)).rejects.toThrow();
      const isOver = (): unknown =>
        hub.simulator.requests.find(
          ({ directives, outcome }) => directives.label === label && outcome === 'client_closed',
        );
      await vi.waitFor(() => expect(isOver()).toBeDefined(), { timeout: 5_000, interval: 10 });
    },
  );
});

describe('F58: bytes that come in another way say the same', () => {
  const TOKENS = 30;
  const TEXT = simulatedTokens(TOKENS, 4, true).join('');

  it.concurrent.each(
    everyWay.flatMap(({ type, reader }) =>
      [
        'newline=lf',
        'newline=crlf',
        'newline=cr',
        'newline=mixed',
        'bom=1',
        'comments=1',
        'fault=split',
        'newline=crlf fault=split',
        'newline=cr fault=split',
        'newline=mixed bom=1 comments=1 fault=split',
      ].map((form) => ({ type, reader, form })),
    ),
  )('$form, $type, read by $reader', async ({ type, reader, form }) => {
    expect(await READ[reader](type, `tokens=${TOKENS} seed=4 multibyte=1 ${form}`)).toBe(TEXT);
  });
});

describe('F59: bytes that are no UTF-8', () => {
  /** Two bytes that stand in no UTF-8, between good text. */
  const BROKEN = 'before \u00ff\u00fe after';
  const EVENTS: Readonly<Record<ProviderType, readonly string[]>> = {
    openai: chunks(),
    vllm: chunks(),
    anthropic: [
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}',
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
      ...['one ', BROKEN, ' two'].map(
        (text) =>
          `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}`,
      ),
      'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}',
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}',
      'event: message_stop\ndata: {"type":"message_stop"}',
    ],
  };

  function chunks(): string[] {
    const chunk = (delta: string, finish = 'null'): string =>
      `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":${finish}}]}`;
    return [
      chunk('{"role":"assistant","content":""}'),
      ...['one ', BROKEN, ' two'].map((text) => chunk(`{"content":"${text}"}`)),
      chunk('{}', '"stop"'),
      'data: [DONE]',
    ];
  }

  beforeAll(async () => {
    for (const type of PROVIDER_TYPES) {
      await mkdir(join(folder, type));
      const stream = EVENTS[type].map((event) => `${event}\n\n`).join('');
      await writeFile(join(folder, type, 'no-utf8.sse'), Buffer.from(stream, 'latin1'));
    }
  });

  it.each(everyWay)('become U+FFFD each, and the rest is as it was ($type, $reader)', async ({ type, reader }) => {
    for (const way of ['', ' fault=split']) {
      const text = await READ[reader](type, `recording=${type}/no-utf8${way}`);
      expect(text).toBe('one before \ufffd\ufffd after two');
    }
  });

  // The simulator's event has OpenAI's shape, whoever sends it.
  it.each(everyWay.filter(({ type }) => type !== 'anthropic'))(
    'take nothing away of what comes after them ($type, $reader)',
    async ({ type, reader }) => {
      const [head, rest] = [simulatedTokens(3, 1), simulatedTokens(12, 1).slice(3)].map((tokens) => tokens.join(''));
      expect(await READ[reader](type, 'tokens=12 pace=2 fault=invalid-utf8')).toBe(`${head}\ufffd\ufffd${rest}`);
    },
  );

  it('in a content event of another shape are an error, whether it is translated or passed on', async () => {
    await expect(READ.openai('anthropic', 'tokens=12 pace=2 fault=invalid-utf8')).rejects.toThrow(/no delta/);
    await expect(READ.anthropic('anthropic', 'tokens=12 pace=2 fault=invalid-utf8')).rejects.toThrow(/no content/);
  });
});

describe('F60: usage that cannot be true', () => {
  const TOKENS = 8;
  // What they cost: 30 USD per million.
  const OUTPUT_NANO_USD = 240_000n;

  const ways = PROVIDER_TYPES.flatMap((type) =>
    [true, false].flatMap((stream) => READERS.map((reader) => ({ type, stream, reader }))),
  );
  const post = ({ type, stream, reader }: (typeof ways)[number], directives: string): Promise<Response> =>
    insist(() =>
      hub.post(reader === 'openai' ? '/v1/chat/completions' : '/v1/messages', {
        model: type,
        messages: say(directives),
        max_tokens: 1_000,
        stream,
      }),
    );

  it.each(ways.flatMap((way) => ['absent', 'negative', 'huge'].map((usage) => ({ ...way, usage }))))(
    '$usage: what was counted is billed ($type, stream: $stream, $reader)',
    async ({ usage, ...way }) => {
      const response = await post(way, `tokens=${TOKENS} usage=${usage}`);
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toContain('ulat');
      const event = await costs.of(response);
      expect(event).toMatchObject({ outcome: 'completed', estimated: true, outputCostNanoUsd: OUTPUT_NANO_USD });
      expect(event.counts.completionTokens).toBe(TOKENS);
      expect(event.counts.promptTokens).toBeGreaterThan(0);
      expect(event.counts.promptTokens).toBeLessThan(100);
      expect(event.costNanoUsd).toBe(event.inputCostNanoUsd + event.outputCostNanoUsd);
    },
  );

  it.each(ways)('decreasing: one of the counts is billed ($type, stream: $stream, $reader)', async (way) => {
    const response = await post(way, `tokens=${TOKENS} usage=decreasing`);
    await response.text();
    const { counts, outputCostNanoUsd } = await costs.of(response);
    // The last word counts, of Anthropic's the largest, since they are said to add up.
    const billed = way.type === 'anthropic' && way.stream ? 2 * TOKENS : TOKENS;
    expect(counts.completionTokens).toBe(billed);
    expect(outputCostNanoUsd).toBe((OUTPUT_NANO_USD * BigInt(billed)) / BigInt(TOKENS));
  });
});

describe('F63: an answer that nobody asked for', () => {
  it.each(PROVIDER_TYPES.flatMap((type) => [true, false].map((stream) => ({ type, stream }))))(
    'on an idle connection is not the next request’s ($type, stream: $stream)',
    async ({ type, stream }) => {
      const model = `one-socket-${type}`;
      const first = await ask(model, 'tokens=3 fault=poison', stream);
      expect(await first.text()).toContain('[sim');
      // The poison comes 20 ms later.
      await new Promise((resolve) => setTimeout(resolve, 100));
      for (const tokens of [5, 6]) {
        const next = await ask(model, `tokens=${tokens}`, stream);
        const text = await next.text();
        expect(next.status).toBe(200);
        expect(next.headers.get('x-tokenhub-attempts')).toBe('1');
        expect(text).not.toContain('poison');
        expect((await costs.of(next)).counts.completionTokens).toBe(tokens);
        if (stream) expect(parseStream(text).data.at(-1)).toBe('[DONE]');
      }
      expect(requestsAt(hub.simulator, model).every(({ outcome }) => outcome !== 'open')).toBe(true);
    },
  );
});

/**
 * What the OpenAI dialect costs per streamed event and per message, and a whole stream between two sides of this dialect:
 * `node bench/micro/openai-dialect.ts`. The best of many rounds, which take turns, since whatever else runs on the machine
 * only adds; compare within one run only.
 */
import { createMeter } from '../../packages/core/src/dialects/openai/meter.ts';
import { openaiDialect } from '../../packages/core/src/dialects/openai/openai-dialect.ts';
import { readRequest } from '../../packages/core/src/dialects/openai/read-request.ts';
import { createStreamReader } from '../../packages/core/src/dialects/openai/read-stream.ts';
import { createStreamWriter } from '../../packages/core/src/dialects/openai/write-stream.ts';
import { createRelay } from '../../packages/core/src/completion/relay.ts';
import { NOTHING_USED } from '../../packages/core/src/cost/receipt.ts';
import type { StreamOptions } from '../../packages/core/src/index.ts';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

interface Task {
  readonly name: string;
  readonly unit: 'ns' | 'µs';
  /** How many of what is measured one call does. */
  readonly count: number;
  readonly call: () => void;
}

const EVENTS = 2_000;
/** Of a short answer, which comes in one piece. */
const BURST_EVENTS = 100;
const BURSTS_PER_ROUND = 10;
const ROUNDS = 151;

const encoder = new TextEncoder();
const words = ['Once', ' upon', ' a', ' time', ',', ' there', ' was', ' a', ' gateway', '.\\n'];

/** A content event of the size that OpenAI sends; `after` are the members that follow the choices. */
function content(text: string, after = ''): string {
  return `data: {"id":"chatcmpl-BuBnK8LTKUtp70pLip5ZGv7HUzYPj","object":"chat.completion.chunk","created":1762317021,"model":"gpt-5-nano-2025-08-07","system_fingerprint":"fp_efad92c60b","choices":[{"index":0,"delta":{"content":"${text}"},"logprobs":null,"finish_reason":null}]${after}}\n\n`;
}

function contentEvents(after: (i: number) => string, count = EVENTS): string[] {
  return Array.from({ length: count }, (_, i) => content(words[i % words.length] ?? '', after(i)));
}

/** The same between a first event with the role and the three events that end a stream. */
function wholeStream(): Uint8Array[] {
  const first = content('').replace('"content":""', '"role":"assistant","content":""');
  const finish = content('').replace('"content":""', '').replace('"finish_reason":null', '"finish_reason":"stop"');
  const usage = 'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":100,"total_tokens":109}}\n\n';
  const events = contentEvents((i) => `,"usage":null,"obfuscation":"${'x'.repeat(1 + (i % 7))}"`, BURST_EVENTS);
  return [first, ...events, finish, usage, 'data: [DONE]\n\n'].map((event) => encoder.encode(event));
}

function streamOptions(includeUsage: boolean): StreamOptions {
  return { includeUsage, choices: 1, price: () => NOTHING_USED };
}

function meterTask(name: string, events: string[]): Task {
  const bytes = encoder.encode(events.join(''));
  const ends: number[] = [];
  let end = 0;
  for (const event of events) ends.push((end += encoder.encode(event).length));
  const call = (): void => {
    const meter = createMeter(streamOptions(false));
    let start = 0;
    for (const eventEnd of ends) {
      meter.read(bytes, start, eventEnd);
      start = eventEnd;
    }
    if (meter.countedTokens < EVENTS) throw new Error('An event was not counted.');
  };
  return { name: `meter: ${name} (${Math.round(bytes.length / EVENTS)} bytes)`, unit: 'ns', count: EVENTS, call };
}

function relayTasks(includeUsage: boolean): Task[] {
  const events = wholeStream();
  const burst = new Uint8Array(Buffer.concat(events));
  const asked = includeUsage ? 'usage asked for' : '"usage":null cut out';
  const relay = (chunks: readonly Uint8Array[]): void => {
    const converter = createRelay(openaiDialect, streamOptions(includeUsage));
    for (const chunk of chunks) converter.push(chunk);
    if (!converter.facts.terminated) throw new Error('The stream was not read to its end.');
  };
  return [
    {
      name: `relay: a stream of ${events.length} events in one chunk, ${asked}`,
      unit: 'µs',
      count: BURSTS_PER_ROUND,
      call: () => {
        for (let i = 0; i < BURSTS_PER_ROUND; i++) relay([burst]);
      },
    },
    {
      name: `relay: an event per chunk, ${asked}`,
      unit: 'ns',
      count: BURSTS_PER_ROUND * events.length,
      call: () => {
        for (let i = 0; i < BURSTS_PER_ROUND; i++) relay(events);
      },
    },
  ];
}

function createTasks(): Task[] {
  const plain = contentEvents(() => '');
  const data = plain.map((event) => event.slice('data: '.length, -2));
  const body = {
    model: 'gpt-4',
    stream: true,
    messages: Array.from({ length: EVENTS }, (_, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content: 'Hello',
    })),
  };
  const identity = { requestId: '01JXYZ', model: 'claude-sonnet-4', created: 1_762_317_021 };
  return [
    ...relayTasks(true),
    ...relayTasks(false),
    meterTask('content', plain),
    meterTask(
      'content with padding',
      contentEvents((i) => `,"obfuscation":"${'x'.repeat(1 + (i % 14))}"`),
    ),
    meterTask(
      '"usage":null cut out',
      contentEvents(() => ',"usage":null'),
    ),
    meterTask(
      'no two alike, each parsed',
      contentEvents((i) => `,"number":${i}`),
    ),
    {
      name: 'reader: text delta',
      unit: 'ns',
      count: EVENTS,
      call: () => {
        const reader = createStreamReader();
        let parts = 0;
        for (const event of data) reader.read('message', event, () => parts++);
        if (parts < EVENTS) throw new Error('An event was not read.');
      },
    },
    {
      name: 'writer: text delta',
      unit: 'ns',
      count: EVENTS,
      call: () => {
        const writer = createStreamWriter(identity, streamOptions(false));
        let written = 0;
        for (let i = 0; i < EVENTS; i++) {
          written += writer.write({ type: 'text-delta', choice: 0, text: words[i % words.length] ?? '' }).length;
        }
        if (written < EVENTS) throw new Error('Nothing was written.');
      },
    },
    {
      name: 'request: read one message',
      unit: 'ns',
      count: EVENTS,
      call: () => {
        if (readRequest(body).messages.length !== EVENTS) throw new Error('A message was not read.');
      },
    },
  ];
}

export function run(): Row[] {
  const tasks = createTasks();
  const best = tasks.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { unit, count, call }] of tasks.entries()) {
      const startMs = performance.now();
      call();
      const each = ((performance.now() - startMs) * (unit === 'ns' ? 1e6 : 1e3)) / count;
      best[index] = Math.min(best[index] ?? each, each);
    }
  }
  return tasks.map(({ name, unit }, index) => ({ name, value: best[index] ?? 0, unit }));
}

if (import.meta.main) {
  for (const { name, value, unit } of run()) process.stdout.write(`${name}: ${Math.round(value)} ${unit}\n`);
}

/**
 * What the OpenAI dialect costs per streamed event and per message, in nanoseconds: `node bench/micro/openai-dialect.ts`.
 * The best and the median of many rounds, since whatever else runs on the machine only adds; compare within one run only.
 */
import { createMeter } from '../../packages/core/src/dialects/openai/meter.ts';
import { readRequest } from '../../packages/core/src/dialects/openai/read-request.ts';
import { createStreamReader } from '../../packages/core/src/dialects/openai/read-stream.ts';
import { createStreamWriter } from '../../packages/core/src/dialects/openai/write-stream.ts';
import type { StreamOptions } from '../../packages/core/src/index.ts';

const EVENTS = 2_000;
const ROUNDS = 201;

const encoder = new TextEncoder();
const options: StreamOptions = {
  includeUsage: false,
  choices: 1,
  price: () => {
    throw new Error('No event of these streams has usage.');
  },
};

const words = ['Once', ' upon', ' a', ' time', ',', ' there', ' was', ' a', ' gateway', '.\\n'];

/** A stream of `EVENTS` content events; `after` are the members that follow the choices. */
function contentEvents(after: (i: number) => string): string[] {
  return Array.from({ length: EVENTS }, (_, i) => {
    const content = words[i % words.length] ?? '';
    return `data: {"id":"chatcmpl-BuBnK8LTKUtp70pLip5ZGv7HUzYPj","object":"chat.completion.chunk","created":1762317021,"model":"gpt-5-nano-2025-08-07","system_fingerprint":"fp_efad92c60b","choices":[{"index":0,"delta":{"content":"${content}"},"logprobs":null,"finish_reason":null}]${after(i)}}\n\n`;
  });
}

function measure(name: string, run: () => void): void {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = performance.now();
    run();
    rounds.push(((performance.now() - before) * 1e6) / EVENTS);
  }
  const sorted = rounds.toSorted((a, b) => a - b);
  const [best = 0, median = 0] = [sorted[0], sorted[ROUNDS >> 1]];
  process.stdout.write(
    `${name.padEnd(50)} best ${best.toFixed(0).padStart(6)}  median ${median.toFixed(0).padStart(6)} ns\n`,
  );
}

function measureMeter(name: string, events: string[]): void {
  const bytes = encoder.encode(events.join(''));
  const ends: number[] = [];
  let end = 0;
  for (const event of events) ends.push((end += encoder.encode(event).length));
  measure(`meter: ${name} (${Math.round(bytes.length / EVENTS)} bytes)`, () => {
    const meter = createMeter(options);
    let start = 0;
    for (const eventEnd of ends) {
      meter.read(bytes, start, eventEnd);
      start = eventEnd;
    }
    if (meter.countedTokens < EVENTS) throw new Error('An event was not counted.');
  });
}

const plain = contentEvents(() => '');
measureMeter('content', plain);
measureMeter(
  'content with padding',
  contentEvents((i) => `,"obfuscation":"${'x'.repeat(1 + (i % 14))}"`),
);
measureMeter(
  '"usage":null cut out',
  contentEvents(() => ',"usage":null'),
);
measureMeter(
  'no two alike, each parsed',
  contentEvents((i) => `,"number":${i}`),
);

const data = plain.map((event) => event.slice('data: '.length, -2));
measure('reader: text delta', () => {
  const reader = createStreamReader();
  let parts = 0;
  for (const event of data) reader.read('message', event, () => parts++);
  if (parts < EVENTS) throw new Error('An event was not read.');
});

measure('writer: text delta', () => {
  const writer = createStreamWriter({ requestId: '01JXYZ', model: 'claude-sonnet-4', created: 1_762_317_021 }, options);
  let written = 0;
  for (let i = 0; i < EVENTS; i++) {
    written += writer.write({ type: 'text-delta', choice: 0, text: words[i % words.length] ?? '' }).length;
  }
  if (written < EVENTS) throw new Error('Nothing was written.');
});

const body = {
  model: 'gpt-4',
  stream: true,
  messages: Array.from({ length: EVENTS }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: 'Hello' })),
};
measure('request: read one message', () => {
  if (readRequest(body).messages.length !== EVENTS) throw new Error('A message was not read.');
});

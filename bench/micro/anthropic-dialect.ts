/**
 * What the Anthropic dialect costs per streamed event: `node bench/micro/anthropic-dialect.ts`. A burst is a whole
 * answer of 100 deltas from its bytes to the other dialect's bytes, in one chunk, with a new stream each time.
 * Each figure is the median of several rounds after a warm-up; `ratio` compares it with parsing and writing the event's
 * JSON in the same run.
 */
import { createTranslator } from '../../packages/core/src/completion/translate.ts';
import { anthropicDialect } from '../../packages/core/src/dialects/anthropic/anthropic-dialect.ts';
import { createMeter } from '../../packages/core/src/dialects/anthropic/meter.ts';
import { createStreamReader } from '../../packages/core/src/dialects/anthropic/read-stream.ts';
import { createStreamWriter } from '../../packages/core/src/dialects/anthropic/write-stream.ts';
import { openaiDialect } from '../../packages/core/src/dialects/openai/openai-dialect.ts';
import type { Dialect } from '../../packages/core/src/dialects/dialect.ts';
import type { StreamOptions } from '../../packages/core/src/index.ts';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
}

const EVENTS = 2_000;
const ROUNDS = 201;
const BURST_DELTAS = 100;
const IDENTITY = { requestId: '01JXYZ', model: 'claude-sonnet-4', created: 1_762_317_021 };
const OPTIONS: StreamOptions = {
  includeUsage: false,
  choices: 1,
  price: () => {
    throw new Error('No event of these streams has usage.');
  },
};

const words = ['Once', ' upon a', ' time, there was', ' a gateway that', ' never lied about', ' a stream.\\n'];
const encoder = new TextEncoder();

/** Data of `EVENTS` text deltas, padded with spaces as Anthropic does. */
const deltas = Array.from({ length: EVENTS }, (_, i) => {
  const delta = `{"type":"text_delta","text":"${words[i % words.length]}"}`;
  return `{"type":"content_block_delta","index":0,"delta":${delta}${' '.repeat(i % 14)}}`;
});

/** The figures, in nanoseconds per event. */
export function run(): Row[] {
  const naive = measure(() => {
    let length = 0;
    for (const delta of deltas) length += JSON.stringify(JSON.parse(delta)).length;
    return length;
  });
  const row = (name: string, value: number): Row => ({ name, value, unit: 'ns/event', ratio: value / naive });
  return [
    { name: 'JSON.parse and JSON.stringify of a text delta', value: naive, unit: 'ns/event' },
    row(
      'anthropic meter: text delta',
      measureMeter((data) => `event: content_block_delta\ndata: ${data}\n\n`),
    ),
    row(
      'anthropic meter: text delta without event name',
      measureMeter((data) => `data: ${data}\n\n`),
    ),
    row('anthropic reader: text delta', measure(readAll)),
    row('anthropic writer: text delta', measure(writeAll)),
    row('anthropic to openai: text delta', measure(translateAll)),
    row('anthropic to openai: burst', measureBurst(anthropicDialect, openaiDialect)),
    row('openai to anthropic: burst', measureBurst(openaiDialect, anthropicDialect)),
  ];
}

function measureMeter(frame: (data: string) => string): number {
  const events = deltas.map((data) => encoder.encode(frame(data)));
  const bytes = new Uint8Array(events.reduce((length, event) => length + event.length, 0));
  const ends: number[] = [];
  let end = 0;
  for (const event of events) {
    bytes.set(event, end);
    ends.push((end += event.length));
  }
  return measure(() => {
    const meter = createMeter(OPTIONS);
    let start = 0;
    for (const eventEnd of ends) {
      meter.read(bytes, start, eventEnd);
      start = eventEnd;
    }
    return meter.countedTokens;
  });
}

function readAll(): number {
  const reader = createStreamReader();
  let parts = 0;
  for (const delta of deltas) reader.read('content_block_delta', delta, () => parts++);
  return parts;
}

function writeAll(): number {
  const writer = createStreamWriter(IDENTITY, OPTIONS);
  let length = 0;
  for (let i = 0; i < EVENTS; i++) {
    length += writer.write({ type: 'text-delta', choice: 0, text: words[i % words.length] ?? '' }).length;
  }
  return length;
}

function translateAll(): number {
  const reader = createStreamReader();
  const writer = openaiDialect.createStreamWriter(IDENTITY, OPTIONS);
  let length = 0;
  for (const delta of deltas)
    reader.read('content_block_delta', delta, (part) => (length += writer.write(part).length));
  return length;
}

/** Nanoseconds per delta of a burst. */
function measureBurst(from: Dialect, to: Dialect): number {
  const burst = createBurst(from);
  const translate = (): number => {
    return encoder.encode(String(createTranslator({ from, to }, IDENTITY, OPTIONS).push(burst))).length;
  };
  return measure(() => {
    let length = 0;
    for (let done = 0; done < EVENTS; done += BURST_DELTAS) length += translate();
    return length;
  });
}

/** An answer as a provider of this dialect sends it, without usage. */
function createBurst(dialect: Dialect): Uint8Array {
  if (dialect.name === 'anthropic') {
    const named = (event: string, rest: string): string => `event: ${event}\ndata: {"type":"${event}"${rest}}\n\n`;
    const start = '{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4","content":[]}';
    return encoder.encode(
      named('message_start', `,"message":${start}`) +
        named('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}') +
        deltas
          .slice(0, BURST_DELTAS)
          .map((data) => `event: content_block_delta\ndata: ${data}\n\n`)
          .join('') +
        named('content_block_stop', ',"index":0') +
        named('message_delta', ',"delta":{"stop_reason":"end_turn","stop_sequence":null}') +
        named('message_stop', ''),
    );
  }
  const chunk = (delta: string, reason: string): string =>
    `data: {"id":"chatcmpl-BpJBM4XqgLRpLxmTeun39ESCNhQwb","object":"chat.completion.chunk","created":1751568164,` +
    `"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_07871e2ad8",` +
    `"choices":[{"index":0,"delta":{${delta}},"logprobs":null,"finish_reason":${reason}}],"usage":null}\n\n`;
  const texts = Array.from({ length: BURST_DELTAS }, (_, i) => `"content":"${words[i % words.length]}"`);
  return encoder.encode(
    chunk('"role":"assistant","content":""', 'null') +
      texts.map((text) => chunk(text, 'null')).join('') +
      `${chunk('', '"stop"')}data: [DONE]\n\n`,
  );
}

/** Median nanoseconds per event. `work` gives a figure that only real work can give. */
function measure(work: () => number): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = performance.now();
    if (work() < EVENTS) throw new Error('Some events were not looked at.');
    return ((performance.now() - before) * 1e6) / EVENTS;
  });
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

if (import.meta.main) {
  for (const { name, value, unit, ratio } of run()) {
    const compared = ratio === undefined ? '' : `  ${ratio.toFixed(2)} x`;
    process.stdout.write(`${name.padEnd(52)} ${value.toFixed(0).padStart(6)} ${unit}${compared}\n`);
  }
}

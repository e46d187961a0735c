/**
 * What reading a provider's stream costs: our parser against eventsource-parser with the streaming decoder that it needs,
 * and the splitter that relays bytes undecoded. The rounds of all take turns, so that a busy machine slows all alike.
 */
import { pathToFileURL } from 'node:url';
import { createEventSplitter, createSseParser } from '@tokenhub/core/sse';
import { createParser } from 'eventsource-parser';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** How many times as fast as eventsource-parser in the same rounds. */
  readonly ratio?: number;
}

const EVENTS = 4000;
const WARM_UP_ROUNDS = 20;
const ROUNDS = 61;

/** Keeps the work from being optimised away. */
let charactersSeen = 0;

export function run(): Row[] {
  const events = Array.from({ length: EVENTS }, (_, index) => createEvent(index));
  const stream = join(events);
  const shapes = [
    { shape: '16 KiB chunks', chunks: cutEvery(stream, 16 * 1024) },
    { shape: 'one event per chunk', chunks: cutInto(stream, events) },
  ];
  const readers = [parse, parseWithEventsourceParser, split];
  const rounds = shapes.map(({ shape, chunks }) => {
    const milliseconds: number[][] = readers.map(() => []);
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      for (const [index, read] of readers.entries()) {
        const start = performance.now();
        read(chunks);
        if (round >= 0) milliseconds[index]?.push(performance.now() - start);
      }
    }
    const [ours = 0, theirs = 0, splitting = 0] = milliseconds.map(median);
    return { shape, ours, theirs, splitting };
  });

  return rounds.flatMap(({ shape, ours, theirs, splitting }): Row[] => [
    { name: `parse, ${shape}`, value: stream.length / ours / 1000, unit: 'MB/s', ratio: theirs / ours },
    { name: `eventsource-parser, ${shape}`, value: stream.length / theirs / 1000, unit: 'MB/s' },
    { name: `split, ${shape}`, value: (splitting * 1e6) / EVENTS, unit: 'ns/event' },
  ]);
}

function parse(chunks: readonly Uint8Array[]): void {
  const parser = createSseParser({ onEvent: (event) => (charactersSeen += event.data.length) });
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
}

function parseWithEventsourceParser(chunks: readonly Uint8Array[]): void {
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: (event) => (charactersSeen += event.data.length) });
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
}

function split(chunks: readonly Uint8Array[]): void {
  const splitter = createEventSplitter();
  for (const chunk of chunks) charactersSeen += splitter.push(chunk).count;
}

/** An event as OpenAI sends it, about 300 bytes. */
function createEvent(index: number): Uint8Array {
  const words = ['Struct', 'uring', ' a', ' database', ' schema', ' effectively'];
  return new TextEncoder().encode(
    `data: ${JSON.stringify({
      id: 'chatcmpl-BpJBM4XqgLRpLxmTeun39ESCNhQwb',
      object: 'chat.completion.chunk',
      created: 1_751_568_164,
      model: 'gpt-4o-2024-08-06',
      service_tier: 'default',
      system_fingerprint: 'fp_07871e2ad8',
      choices: [{ index: 0, delta: { content: words[index % words.length] }, logprobs: null, finish_reason: null }],
      usage: null,
    })}\n\n`,
  );
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function cutEvery(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** The bytes cut into pieces as long as these. */
function cutInto(bytes: Uint8Array, parts: readonly Uint8Array[]): Uint8Array[] {
  let offset = 0;
  return parts.map((part) => bytes.subarray(offset, (offset += part.length)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, value, unit, ratio } of run()) {
    const times = ratio === undefined ? '' : `   ${ratio.toFixed(2)} × eventsource-parser`;
    process.stdout.write(`${name.padEnd(40)}${value.toFixed(0).padStart(7)} ${unit}${times}\n`);
  }
  if (charactersSeen === 0) throw new Error('nothing was read');
}

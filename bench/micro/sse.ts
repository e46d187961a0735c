/**
 * What reading a provider's stream costs: our parser against eventsource-parser with the streaming decoder that it needs,
 * and the splitter that relays bytes undecoded: `node bench/micro/sse.ts`.
 *
 * The readers get the same bytes and hand out event, data and id. Each shape of stream has a process of its own, where
 * all readers are compiled before the first round counts; then they take turns in rounds of less than a millisecond.
 * A ratio is the median of the ratios of single rounds, so that a busy machine slows both sides alike; a rate is that of
 * the fastest round.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createParser } from 'eventsource-parser';
import { createEventSplitter, createSseParser } from '../../packages/core/src/sse/index.ts';

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** How many times as fast as eventsource-parser in the same rounds. */
  readonly ratio?: number;
}

type Reader = (chunks: readonly Uint8Array[]) => number;

const EVENTS = 1000;
const WARM_UP_MS = 4000;
const ROUNDS = 1200;
const CHUNK_BYTES = 16 * 1024;
const WORDS = ['Struct', 'uring', ' a', ' database', ' schema', ' effectively'];

/** The streams: whose events, and cut how. */
const SHAPES: Readonly<Record<string, () => Uint8Array[]>> = {
  'OpenAI in 16 KiB chunks': () => cutEvery(join(eventsOf(toOpenaiEvent)), CHUNK_BYTES),
  'OpenAI, one event per chunk': () => cutInto(eventsOf(toOpenaiEvent)),
  'Anthropic in 16 KiB chunks': () => cutEvery(join(eventsOf(toAnthropicEvent)), CHUNK_BYTES),
  'Anthropic, one event per chunk': () => cutInto(eventsOf(toAnthropicEvent)),
};

/** The figures of all shapes, measured one after the other. */
export async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shape of Object.keys(SHAPES)) {
    const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, shape]);
    rows.push(...JSON.parse(stdout));
  }
  return rows;
}

function measure(shape: string, chunks: readonly Uint8Array[]): Row[] {
  const readers: readonly Reader[] = [parse, parseWithEventsourceParser, split];
  const warmUpEnd = performance.now() + WARM_UP_MS;
  while (performance.now() < warmUpEnd) for (const read of readers) timeOf(read, chunks);

  const times = readers.map(() => new Float64Array(ROUNDS));
  for (let round = 0; round < ROUNDS; round++) {
    // Each reader goes first as often as the others: what one leaves to the garbage collector is another's loss.
    for (let turn = 0; turn < readers.length; turn++) {
      const index = (round + turn) % readers.length;
      const read = readers[index];
      const ofReader = times[index];
      if (read !== undefined && ofReader !== undefined) ofReader[round] = timeOf(read, chunks);
    }
  }

  const [ours = new Float64Array(), theirs = new Float64Array(), splitting = new Float64Array()] = times;
  const bytes = chunks.reduce((length, chunk) => length + chunk.length, 0);
  const rate = (milliseconds: Float64Array): number => bytes / Math.min(...milliseconds) / 1000;
  const ratio = median(theirs.map((time, round) => time / (ours[round] ?? time)));
  return [
    { name: `parse, ${shape}`, value: rate(ours), unit: 'MB/s', ratio },
    { name: `eventsource-parser, ${shape}`, value: rate(theirs), unit: 'MB/s' },
    { name: `split, ${shape}`, value: rate(splitting), unit: 'MB/s' },
  ];
}

/** Milliseconds that one reading of the whole stream takes. */
function timeOf(read: Reader, chunks: readonly Uint8Array[]): number {
  const start = performance.now();
  const seen = read(chunks);
  const time = performance.now() - start;
  // Also keeps the work from being optimised away.
  if (seen < EVENTS) throw new Error('some events were not read');
  return time;
}

function parse(chunks: readonly Uint8Array[]): number {
  let seen = 0;
  const parser = createSseParser({
    onEvent: ({ event, data, id }) => {
      seen += data.length + (event === 'message' ? 0 : 1) + (id === '' ? 0 : 1);
    },
  });
  for (const chunk of chunks) parser.push(chunk);
  parser.end();
  return seen;
}

function parseWithEventsourceParser(chunks: readonly Uint8Array[]): number {
  let seen = 0;
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ event, data, id }) => {
      seen += data.length + (event === undefined ? 0 : 1) + (id === undefined ? 0 : 1);
    },
  });
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  return seen;
}

function split(chunks: readonly Uint8Array[]): number {
  let seen = 0;
  const splitter = createEventSplitter();
  for (const chunk of chunks) seen += splitter.push(chunk).count;
  return seen;
}

function eventsOf(toEvent: (text: string) => string): Uint8Array[] {
  const encoder = new TextEncoder();
  return Array.from({ length: EVENTS }, (_, index) => encoder.encode(toEvent(WORDS[index % WORDS.length] ?? '')));
}

/** About 300 bytes, without a name. */
function toOpenaiEvent(text: string): string {
  const chunk = {
    id: 'chatcmpl-BpJBM4XqgLRpLxmTeun39ESCNhQwb',
    object: 'chat.completion.chunk',
    created: 1_751_568_164,
    model: 'gpt-4o-2024-08-06',
    service_tier: 'default',
    system_fingerprint: 'fp_07871e2ad8',
    choices: [{ index: 0, delta: { content: text }, logprobs: null, finish_reason: null }],
    usage: null,
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** About 120 bytes, with a name. */
function toAnthropicEvent(text: string): string {
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } };
  return `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`;
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

/** These parts, in one buffer as they come from a socket. */
function cutInto(parts: readonly Uint8Array[]): Uint8Array[] {
  const bytes = join(parts);
  let offset = 0;
  return parts.map((part) => bytes.subarray(offset, (offset += part.length)));
}

function median(values: Float64Array): number {
  return values.toSorted()[values.length >> 1] ?? 0;
}

if (import.meta.main) {
  const shape = process.argv[2];
  const createChunks = shape === undefined ? undefined : SHAPES[shape];
  if (shape !== undefined && createChunks !== undefined) {
    process.stdout.write(JSON.stringify(measure(shape, createChunks())));
  } else {
    for (const { name, value, unit, ratio } of await run()) {
      const times = ratio === undefined ? '' : `   ${ratio.toFixed(2)} × eventsource-parser`;
      process.stdout.write(`${name.padEnd(52)}${value.toFixed(0).padStart(7)} ${unit}${times}\n`);
    }
  }
}

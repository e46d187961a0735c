import { simulatedTokens } from '@tokenhub/simulator';
import type { Answer } from './connection.ts';
import type { Task } from './load.ts';
import type { TargetName } from './targets.ts';

export const BENCH_KEY = 'bench-key-0123456789abcdef';

/** Requests at a fixed rate; its figures are per request. */
export interface RateScenario {
  readonly kind: 'rate';
  readonly name: string;
  readonly title: string;
  readonly targets: readonly TargetName[];
  readonly connections: number;
  readonly perSecond: number;
  readonly task: (target: TargetName) => Task;
}

/** Many streams at once, each at a fixed pace; its figures are per event. */
export interface StreamsScenario {
  readonly kind: 'streams';
  readonly name: string;
  readonly title: string;
  readonly streams: number;
  readonly paceMs: number;
  readonly rampMs: number;
  /** A stream long enough to last over ramp, settling and window. */
  readonly task: (durationMs: number) => Task;
}

export type Scenario = RateScenario | StreamsScenario;

const BOTH = ['nginx', 'gateway'] as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    kind: 'rate',
    name: 'S1',
    title: '1 kB answer, 32 connections',
    targets: BOTH,
    connections: 32,
    perSecond: 1_000,
    task: openaiAnswer,
  },
  {
    kind: 'rate',
    name: 'S2',
    title: '103 events in one burst',
    targets: BOTH,
    connections: 32,
    perSecond: 500,
    task: (target) => openaiStream(target, 100),
  },
  {
    kind: 'rate',
    name: 'S2-usage',
    title: 'the same, usage asked for',
    targets: BOTH,
    connections: 32,
    perSecond: 500,
    task: (target) => openaiStream(target, 99, { include_usage: true }),
  },
  {
    kind: 'rate',
    name: 'S2-translated',
    title: 'the same from Anthropic to OpenAI (nginx relays Anthropic)',
    targets: BOTH,
    connections: 32,
    perSecond: 500,
    task: (target) => (target === 'gateway' ? translatedStream(100) : anthropicStream(100)),
  },
  {
    kind: 'rate',
    name: 'first-byte',
    title: 'first byte of a stream, one connection',
    targets: ['simulator', 'nginx', 'gateway'],
    connections: 1,
    perSecond: 100,
    task: (target) => openaiStream(target, 10),
  },
  {
    kind: 'streams',
    name: 'S3',
    title: '1,000 streams, an event per 100 ms',
    streams: 1_000,
    paceMs: 100,
    rampMs: 1_000,
    task: (durationMs) => openaiStream('gateway', Math.ceil(durationMs / 100), undefined, 100),
  },
  {
    kind: 'streams',
    name: 'S4',
    title: '5,000 streams, an event per 500 ms',
    streams: 5_000,
    paceMs: 500,
    rampMs: 5_000,
    task: (durationMs) => openaiStream('gateway', Math.ceil(durationMs / 500), undefined, 500),
  },
];

function openaiAnswer(): Task {
  const text = simulatedTokens(32, 1).join('');
  const request = post('/v1/chat/completions', {
    model: 'sim-openai',
    messages: [{ role: 'user', content: 'A plain answer of one kilobyte, please.' }],
  });
  const content = JSON.stringify(text);
  return {
    request,
    check: (answer) => problemOf(answer, answer.body.includes(content) && answer.body.trimEnd().endsWith('}')),
  };
}

// oxlint-disable-next-line max-params -- the last two are rarely given
function openaiStream(
  target: TargetName,
  tokens: number,
  streamOptions?: { include_usage: boolean },
  paceMs = 0,
): Task {
  const path = target === 'simulator' ? '/openai/v1/chat/completions' : '/v1/chat/completions';
  const request = post(path, {
    model: 'sim-openai',
    stream: true,
    ...(streamOptions && { stream_options: streamOptions }),
    messages: [{ role: 'user', content: `[simulate tokens=${tokens} pace=${paceMs}]` }],
  });
  return { request, check: checkOpenai(tokens) };
}

function translatedStream(tokens: number): Task {
  const request = post('/v1/chat/completions', {
    model: 'sim-claude',
    stream: true,
    max_tokens: 1_000,
    messages: [{ role: 'user', content: `[simulate tokens=${tokens} pace=0]` }],
  });
  return { request, check: checkOpenai(tokens) };
}

function anthropicStream(tokens: number): Task {
  const request = post('/v1/messages', {
    model: 'sim-claude',
    stream: true,
    max_tokens: 1_000,
    messages: [{ role: 'user', content: `[simulate tokens=${tokens} pace=0]` }],
  });
  const text = simulatedTokens(tokens, 1).join('');
  return {
    request,
    check: (answer) =>
      problemOf(answer, joined(answer.body, /"text":"([^"]+)"/g) === text && answer.body.includes('message_stop')),
  };
}

/** Every token of the text came, in order, and the terminator after them. */
export function checkOpenai(tokens: number): Task['check'] {
  const text = simulatedTokens(tokens, 1).join('');
  return (answer) => {
    const content = joined(answer.body, /"content":"([^"]+)"/g);
    return problemOf(answer, content === text && answer.body.includes('\ndata: [DONE]\n'));
  };
}

function joined(body: string, pattern: RegExp): string {
  let text = '';
  for (const match of body.matchAll(pattern)) text += match[1];
  return text;
}

function problemOf(answer: Answer, whole: boolean): string | undefined {
  if (answer.status === 200 && whole) return undefined;
  return `status ${answer.status}, ${answer.body.length} bytes ending in ${JSON.stringify(answer.body.slice(-200))}`;
}

/** A whole POST request of the benches' key, as it goes over the wire. */
export function post(
  path: string,
  body: Record<string, unknown>,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array {
  const json = JSON.stringify(body);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: bench',
    `authorization: Bearer ${BENCH_KEY}`,
    'anthropic-version: 2023-06-01',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(json)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${json}`);
}

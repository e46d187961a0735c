import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StreamPart } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import { NOTHING_USED, type Receipt } from '../../cost/receipt.ts';
import { createSseParser } from '../../sse/parse-sse.ts';
import { anthropicDialect } from './anthropic-dialect.ts';
import { createStreamReader } from './read-stream.ts';
import { createStreamWriter } from './write-stream.ts';

const FIXTURES = new URL('./__fixtures__/', import.meta.url);
const RECORDINGS = new URL('../../../../../../shared/wire/anthropic/', import.meta.url);
const IDENTITY = { requestId: 'r1', model: 'claude', created: 1 };
const RECEIPT: Receipt = {
  counts: { promptTokens: 100, completionTokens: 20, cachedTokens: 30, cacheWriteTokens: 5, reasoningTokens: 7 },
  cost: plainCost(1n, 1_200_000_000n),
  estimated: false,
};

/** As a bill is: what the provider has reported, or an estimate of 65 tokens. */
const OPTIONS = {
  price: (usage: ReportedUsage | undefined) => {
    const { promptTokens = 65, completionTokens = 0, cachedTokens = 0 } = usage ?? {};
    return { ...RECEIPT, counts: { ...NOTHING_USED.counts, promptTokens, completionTokens, cachedTokens } };
  },
};

function write(parts: readonly StreamPart[]): string {
  const writer = createStreamWriter(IDENTITY, OPTIONS);
  return parts.map((part) => writer.write(part)).join('') + writer.end(RECEIPT);
}

function read(stream: string): StreamPart[] {
  const reader = createStreamReader();
  const parts: StreamPart[] = [];
  createSseParser({ onEvent: ({ event, data }) => reader.read(event, data, (part) => parts.push(part)) }).push(
    new TextEncoder().encode(stream),
  );
  return parts;
}

interface Written {
  readonly type: string;
  readonly index?: number;
  readonly content_block?: { readonly type: string };
  readonly delta?: { readonly type: string };
}

function events(stream: string): Written[] {
  return [...stream.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, name, data]) => {
    const event: Written = JSON.parse(data ?? '');
    expect(event.type).toBe(name);
    return event;
  });
}

/** `+0 text`, `0 text_delta`, `-0`: the blocks of a stream in short. */
function outline(stream: string): string {
  const lines = events(stream).map((event) => {
    if (event.type === 'content_block_start') return `+${event.index} ${event.content_block?.type}`;
    if (event.type === 'content_block_delta') return `${event.index} ${event.delta?.type}`;
    return event.type === 'content_block_stop' ? `-${event.index}` : event.type;
  });
  return lines.join(' · ');
}

/** Neighbouring deltas of one kind joined, and what a stream of ours says for itself left out. */
function essence(parts: readonly StreamPart[]): unknown[] {
  const joined: Record<string, unknown>[] = [];
  for (const part of parts) {
    if (part.type === 'start' || part.type === 'usage' || part.type === 'done' || part.type === 'error') continue;
    const last = joined.at(-1);
    const text = 'text' in part ? 'text' : part.type === 'tool-call-delta' ? 'arguments' : undefined;
    const fresh: Record<string, unknown> = { ...part };
    if (text !== undefined && last?.['type'] === part.type && last['index'] === fresh['index']) {
      last[text] = `${String(last[text])}${String(fresh[text])}`;
    } else joined.push(fresh);
  }
  return joined;
}

const text = (words: string): StreamPart => ({ type: 'text-delta', choice: 0, text: words });
const thought = (words: string): StreamPart => ({ type: 'reasoning-delta', choice: 0, text: words });
const finish = (
  unified: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other',
  raw: string = unified,
): StreamPart => ({
  type: 'finish',
  choice: 0,
  reason: { unified, raw },
});
const call = (index: number, json: string, name?: string): StreamPart => ({
  type: 'tool-call-delta',
  choice: 0,
  index,
  arguments: json,
  ...(name !== undefined && { id: `id_${name}`, name }),
});

describe('the stream writer', () => {
  it('writes text with its frame, and the true usage with the exact cost at the end', () => {
    expect(write([{ type: 'start', id: 'x' }, text('Hi'), text(''), text(' there'), finish('stop')])).toBe(
      [
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":65,"output_tokens":0}}}',
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}',
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" there"}}',
        'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}',
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":65,"cache_creation_input_tokens":5,"cache_read_input_tokens":30,"output_tokens":20,"output_tokens_details":{"thinking_tokens":7},"cost":1.200000001}}',
        'event: message_stop\ndata: {"type":"message_stop"}',
        '',
      ].join('\n\n'),
    );
  });

  it('begins with the input that is known by then: as reported, else as estimated', () => {
    const start: StreamPart = { type: 'start', id: 'x' };
    const usage: StreamPart = { type: 'usage', usage: { promptTokens: 100, cachedTokens: 30, completionTokens: 1 } };
    const first = (parts: readonly StreamPart[]): unknown => events(write(parts))[0];
    expect(first([start, usage, text('Hi')])).toMatchObject({
      message: { usage: { input_tokens: 70, cache_read_input_tokens: 30, output_tokens: 1 } },
    });
    for (const parts of [[], [start, text('Hi'), usage]]) {
      expect(first(parts)).toMatchObject({ message: { usage: { input_tokens: 65, output_tokens: 0 } } });
    }
  });

  it('opens and closes a block wherever the kind of content changes', () => {
    const parts: StreamPart[] = [
      thought('a'),
      { type: 'reasoning-signature', choice: 0, signature: 's' },
      thought('b'),
      { type: 'redacted-reasoning', choice: 0, data: 'd' },
      text('c'),
      call(0, '{}', 'x'),
      finish('tool_calls'),
    ];
    expect(outline(write(parts))).toBe(
      'message_start · +0 thinking · 0 thinking_delta · 0 signature_delta · -0 · +1 thinking · 1 thinking_delta · -1 · ' +
        '+2 redacted_thinking · -2 · +3 text · 3 text_delta · -3 · +4 tool_use · 4 input_json_delta · -4 · message_delta · message_stop',
    );
    expect(essence(read(write(parts)))).toEqual(essence([...parts.slice(0, -1), finish('tool_calls', 'tool_use')]));
  });

  it('holds the deltas of a later tool call until the earlier one is complete', () => {
    const parts = [
      call(0, '{"a"', 'x'),
      call(1, '{"b"', 'y'),
      call(0, ':1}'),
      call(2, '', 'z'),
      call(1, ':2}'),
      finish('tool_calls'),
    ];
    const stream = write(parts);
    expect(outline(stream)).toBe(
      'message_start · +0 tool_use · 0 input_json_delta · 0 input_json_delta · -0 · +1 tool_use · 1 input_json_delta · -1 · ' +
        '+2 tool_use · -2 · message_delta · message_stop',
    );
    expect(essence(read(stream)).slice(0, 3)).toEqual([
      call(0, '{"a":1}', 'x'),
      call(1, '{"b":2}', 'y'),
      call(2, '{}', 'z'),
    ]);
  });

  it('streams the first tool call as it comes', () => {
    const writer = createStreamWriter(IDENTITY, OPTIONS);
    writer.write(call(0, '', 'x'));
    expect(writer.write(call(0, '{"a":'))).toContain('partial_json');
  });

  it('refuses a delta of a tool call that is already closed', () => {
    const writer = createStreamWriter(IDENTITY, OPTIONS);
    writer.write(call(0, '{', 'x'));
    writer.write(text('done'));
    expect(() => writer.write(call(0, '}'))).toThrow(/went on with a tool call/);
  });

  it('names a tool call itself where the provider did not', () => {
    expect(write([{ type: 'tool-call-delta', choice: 0, index: 0, name: 'x', arguments: '' }])).toContain(
      '"id":"toolu_r1_0"',
    );
  });

  it('writes an answer without content as a whole stream', () => {
    expect(outline(write([]))).toBe('message_start · message_delta · message_stop');
  });

  it.each([
    [finish('stop'), 'end_turn'],
    [finish('length'), 'max_tokens'],
    [finish('tool_calls'), 'tool_use'],
    [finish('content_filter'), 'refusal'],
    [finish('other', 'something_new'), 'end_turn'],
    [finish('stop', 'stop_sequence'), 'stop_sequence'],
  ])('writes %j as stop reason %s', (part, reason) => {
    expect(write([text('a'), part])).toContain(`"stop_reason":"${reason}"`);
  });

  it('says tool_use of a tool call after which the provider only says stop', () => {
    expect(write([call(0, '{}', 'x'), finish('stop', 'stop')])).toContain('"stop_reason":"tool_use"');
  });

  it('writes a refusal as text with the stop reason refusal', () => {
    const stream = write([{ type: 'refusal-delta', choice: 0, text: 'No.' }, finish('stop')]);
    expect(stream).toContain('"text":"No."');
    expect(stream).toContain('"stop_reason":"refusal"');
  });

  it('ends with the terminator of the dialect', () => {
    expect(write([]).endsWith(anthropicDialect.terminator)).toBe(true);
  });

  it.each(['text', 'thinking', 'tool-use', 'parallel-tools'])(
    'writes the parts of %s so that they are read as the same',
    (name) => {
      const parts = read(readFileSync(new URL(`${name}.sse`, FIXTURES), 'utf8'));
      expect(essence(read(write(parts)))).toEqual(essence(parts));
    },
  );
});

describe.skipIf(!existsSync(RECORDINGS))('the stream writer on recorded streams (../shared/wire)', () => {
  const names = existsSync(RECORDINGS)
    ? readdirSync(RECORDINGS).filter(
        (file) => file.endsWith('.sse') && !file.startsWith('overloaded') && !file.startsWith('rate'),
      )
    : [];

  it.each(names)('writes the parts of %s so that they are read as the same', (name) => {
    const parts = read(readFileSync(new URL(name, RECORDINGS), 'utf8'));
    expect(essence(read(write(parts)))).toEqual(essence(parts));
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamPart } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { isGatewayError } from '../../errors.ts';
import { createSseParser } from '../../sse/parse-sse.ts';
import { createStreamReader } from './read-stream.ts';

const FIXTURES = new URL('./__fixtures__/', import.meta.url);
const RECORDINGS = new URL('../../../../../../shared/wire/anthropic/', import.meta.url);

function partsOf(stream: Uint8Array | string): StreamPart[] {
  const reader = createStreamReader();
  const parts: StreamPart[] = [];
  const parser = createSseParser({
    onEvent: ({ event, data }) => reader.read(event, data, (part) => parts.push(part)),
  });
  parser.push(typeof stream === 'string' ? new TextEncoder().encode(stream) : stream);
  parser.end();
  return parts;
}

function partsOfFixture(name: string): StreamPart[] {
  return partsOf(readFileSync(new URL(`${name}.sse`, FIXTURES)));
}

/** What a whole stream says. */
function accumulate(parts: readonly StreamPart[]) {
  const calls: { id: string | undefined; name: string | undefined; arguments: string }[] = [];
  const said = { text: '', reasoning: '', signatures: 0, redacted: 0, calls, done: false };
  let usage: ReportedUsage | undefined;
  let finish: string | undefined;
  let raw: string | undefined;
  let error: string | undefined;
  for (const part of parts) {
    if (part.type === 'text-delta') said.text += part.text;
    if (part.type === 'reasoning-delta') said.reasoning += part.text;
    if (part.type === 'reasoning-signature') said.signatures++;
    if (part.type === 'redacted-reasoning') said.redacted++;
    if (part.type === 'tool-call-delta') {
      const call = (calls[part.index] ??= { id: part.id, name: part.name, arguments: '' });
      call.arguments += part.arguments;
    }
    if (part.type === 'usage') usage = part.usage;
    if (part.type === 'finish') ({ unified: finish, raw } = part.reason);
    if (part.type === 'done') said.done = true;
    if (part.type === 'error') error = part.error.code;
  }
  return { ...said, usage, finish, raw, error };
}

describe('the stream reader', () => {
  it('reads text, cache usage and the stop reason', () => {
    expect(partsOfFixture('text')).toEqual([
      { type: 'start', id: 'msg_text', model: 'claude-test' },
      {
        type: 'usage',
        usage: {
          promptTokens: 2125,
          completionTokens: 1,
          cachedTokens: 2000,
          cacheWriteTokens: 100,
          outputIsProvisional: true,
        },
      },
      { type: 'text-delta', choice: 0, text: 'Grüße,' },
      { type: 'text-delta', choice: 0, text: ' "world"\n👋 👋' },
      { type: 'usage', usage: { promptTokens: 2125, completionTokens: 15, cachedTokens: 2000, cacheWriteTokens: 100 } },
      { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'end_turn' } },
      { type: 'done' },
    ]);
  });

  it('reads thinking with its signature, and redacted thinking', () => {
    expect(partsOfFixture('thinking').filter(({ type }) => type !== 'usage')).toEqual([
      { type: 'start', id: 'msg_thinking', model: 'claude-test' },
      { type: 'reasoning-delta', choice: 0, text: '27 times 453 is ' },
      { type: 'reasoning-delta', choice: 0, text: '12231.' },
      { type: 'reasoning-signature', choice: 0, signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' },
      { type: 'redacted-reasoning', choice: 0, data: 'EmwKAhgBEgy3va3pzix/LafPsn4a' },
      { type: 'text-delta', choice: 0, text: '27 × 453 = 12231' },
      { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop_sequence', stopSequence: 'END' } },
      { type: 'done' },
    ]);
    expect(accumulate(partsOfFixture('thinking')).usage).toEqual({
      promptTokens: 40,
      completionTokens: 60,
      reasoningTokens: 45,
    });
  });

  it('reads a tool call as deltas, the first with id and name', () => {
    expect(partsOfFixture('tool-use').filter(({ type }) => type === 'tool-call-delta')).toEqual([
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'toolu_1', name: 'get_weather', arguments: '' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"location":' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: ' "Paris"}' },
    ]);
  });

  it('numbers parallel calls from 0, leaves out those of server tools, and gives input that came without deltas', () => {
    const { calls, text, finish, usage } = accumulate(partsOfFixture('parallel-tools'));
    expect(calls).toEqual([
      { id: 'toolu_a', name: 'now', arguments: '{}' },
      { id: 'toolu_b', name: 'lookup', arguments: '{"city":"Oslo"}' },
      { id: 'toolu_c', name: 'lookup', arguments: '{"city":"Bergen"}' },
    ]);
    expect([text, finish, usage?.promptTokens]).toEqual(['', 'tool_calls', 700]);
  });

  it('says of which piece of the text a source is, whether it comes before its text or after', () => {
    const source = (url: string) => ({
      type: 'citations_delta',
      citation: { type: 'web_search_result_location', url },
    });
    const text = (said: string) => ({ type: 'text_delta', text: said });
    const blocks = [[text('So '), text('far: ')], [source('a'), text('one'), source('b')], [text('.')]];
    const events = blocks.flatMap((deltas, index) => [
      { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]);
    const parts = partsOf(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    expect(parts.filter(({ type }) => type === 'citation')).toEqual([
      { type: 'citation', choice: 0, url: 'a', start: 8, end: 11 },
      { type: 'citation', choice: 0, url: 'b', start: 8, end: 11 },
    ]);
  });

  it('turns an error event into an error of ours that repeats nothing of theirs', () => {
    const last = partsOfFixture('error').at(-1);
    expect(last).toMatchObject({ type: 'error', error: { code: 'upstream_unavailable' } });
    expect(JSON.stringify(last?.type === 'error' && last.error.message)).not.toMatch(/10\.1\.2\.3|Overloaded/);
  });

  it.each([
    ['rate_limit_error', 'upstream_rate_limited'],
    ['overloaded_error', 'upstream_unavailable'],
    ['api_error', 'upstream_error'],
  ])('takes an error of type %s as %s', (type, code) => {
    const [part] = partsOf(`data: {"type":"error","error":{"type":"${type}","message":"x"}}\n\n`);
    expect(part).toMatchObject({ type: 'error', error: { code } });
  });

  it('reads events without a name, with CR LF, with an unknown type, and skips unknown blocks and deltas', () => {
    const events = [
      '{"type":"message_start","message":{"id":"m","model":"x"}}',
      '{"type":"weather_report"}',
      '{"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":null}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"long"}}',
      '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"at once"}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{}}}',
      '{"type":"message_stop"}',
    ];
    expect(partsOf(events.map((data) => `data: ${data}\r\n\r\n`).join(''))).toEqual([
      { type: 'start', id: 'm', model: 'x' },
      { type: 'text-delta', choice: 0, text: 'at once' },
      { type: 'done' },
    ]);
  });

  it('reads every delta of a block alike, whatever its escapes, spacing and order of members', () => {
    const start = '{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"';
    const data = [
      `${start}a"}}`,
      `${start}b"}   }`,
      `${start}c\\n\\"}}\\\\"}}`,
      `${start}"}}`,
      `${start}d"},"index":3}`,
      `${start}","more":{"text":"\\n"}}}`,
      '{"delta":{"text":"e","type":"text_delta"},"index":3,"type":"content_block_delta"}',
      `${start.replace('3', '4')}f"}}`,
    ];
    expect(accumulate(partsOf(data.map((json) => `data: ${json}\n\n`).join(''))).text).toBe('abc\n"}}\\def');
    for (const broken of [`${start}g`, `${start}g"}`, `${start}g"}}}`, `${start}g"} x}`]) {
      expect(() => partsOf(`data: ${data[0]}\n\ndata: ${broken}\n\n`)).toThrow(/not a JSON object/);
    }
  });

  it('gives every text back as it was sent', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '}', ' ', '\n', 'a', 'é', '€', '😀') });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.constantFrom('', ' ', '   '))), (texts) => {
        const data = texts.map(([words, padding]) => {
          const delta = JSON.stringify({ type: 'text_delta', text: words });
          return `data: {"type":"content_block_delta","index":0,"delta":${delta}${padding}}\n\n`;
        });
        expect(accumulate(partsOf(data.join(''))).text).toBe(texts.map(([words]) => words).join(''));
      }),
    );
  });

  it('takes the type from the event name where the data has none', () => {
    expect(partsOf('event: message_stop\ndata: {}\n\n')).toEqual([{ type: 'done' }]);
  });

  it.each([
    'not json',
    '[]',
    '{"type":"message_start"}',
    '{"type":"content_block_delta","delta":{"type":"text_delta"}}',
    '{"type":"content_block_start","content_block":{"type":"tool_use","name":"x"}}',
  ])('refuses %s as upstream_protocol', (data) => {
    const error = caught(() => partsOf(`data: ${data}\n\n`));
    expect(isGatewayError(error) && error.code).toBe('upstream_protocol');
  });

  it('leaves counts that were not reported undefined', () => {
    const { usage } = accumulate(
      partsOf('data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}\n\n'),
    );
    expect(usage).toEqual({ completionTokens: 7 });
  });
});

describe.skipIf(!existsSync(RECORDINGS))('the stream reader on recorded streams (../shared/wire)', () => {
  const names = existsSync(RECORDINGS) ? readdirSync(RECORDINGS).filter((file) => file.endsWith('.sse')) : [];

  it.each(names)('makes of %s what is expected of it', (name) => {
    const said = accumulate(partsOf(readFileSync(new URL(name, RECORDINGS))));
    const { expected } = JSON.parse(readFileSync(new URL(name.replace('.sse', '.json'), RECORDINGS), 'utf8'));
    expect(said.text).toBe(expected.text);
    expect(said.reasoning).toBe(expected.reasoning);
    expect(said.calls).toEqual(
      expected.tool_calls.map((call: Record<string, unknown>) => ({
        id: call['id'],
        name: call['name'],
        arguments: call['arguments'],
      })),
    );
    expect(said.finish ?? null).toBe(expected.finish_reason);
    expect(said.raw ?? null).toBe(expected.stop_reason);
    expect(said.done).toBe(expected.message_stop);
    expect(said.error !== undefined).toBe(expected.error !== null);
    expect(said.usage?.promptTokens).toBe(expected.usage?.prompt_tokens);
    expect(said.usage?.completionTokens).toBe(expected.usage?.completion_tokens);
    expect(said.usage?.cachedTokens ?? 0).toBe(expected.usage?.cached_tokens ?? 0);
    expect(said.usage?.cacheWriteTokens ?? 0).toBe(expected.usage?.cache_creation_tokens ?? 0);
    expect(said.usage?.reasoningTokens ?? null).toBe(expected.usage?.reasoning_tokens ?? null);
    const blocks: { type: string; signature_length?: number }[] = expected.blocks;
    expect(said.redacted).toBe(blocks.filter(({ type }) => type === 'redacted_thinking').length);
    expect(said.signatures).toBe(blocks.filter((block) => block.signature_length).length);
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

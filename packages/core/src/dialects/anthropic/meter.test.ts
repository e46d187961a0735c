import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { createEventSplitter } from '../../sse/split-events.ts';
import type { EventVerdict, Meter } from '../dialect.ts';
import { createMeter } from './meter.ts';

const FIXTURES = new URL('./__fixtures__/', import.meta.url);
const RECORDINGS = new URL('../../../../../../shared/wire/anthropic/', import.meta.url);

const RECEIPT: Receipt = {
  counts: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: plainCost(50n, 20n),
  estimated: false,
};

interface Relayed {
  readonly meter: Meter;
  readonly verdicts: readonly EventVerdict[];
  readonly output: string;
  readonly asked: readonly unknown[];
}

/** Relays a stream as the gateway does, the bytes cut into pieces of `size`. */
function relay(stream: Uint8Array | string, size = Number.POSITIVE_INFINITY): Relayed {
  const asked: unknown[] = [];
  const price = (usage: unknown, countedTokens: number): Receipt => {
    asked.push({ usage, countedTokens });
    return RECEIPT;
  };
  const meter = createMeter({ includeUsage: true, choices: 1, price });
  const input = typeof stream === 'string' ? new TextEncoder().encode(stream) : new Uint8Array(stream);
  const splitter = createEventSplitter();
  const verdicts: EventVerdict[] = [];
  let output = '';
  for (let at = 0; at < input.length; at += size) {
    const { bytes, ends, count } = splitter.push(input.subarray(at, at + size));
    let start = 0;
    for (const end of ends.slice(0, count)) {
      const verdict = meter.read(bytes, start, end);
      verdicts.push(verdict);
      if (verdict === 'pass') output += decode(bytes.subarray(start, end));
      if (verdict === 'rewrite') output += decode(meter.rewritten);
      start = end;
    }
  }
  return { meter, verdicts, output, asked };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function fixture(name: string): string {
  return readFileSync(new URL(`${name}.sse`, FIXTURES), 'utf8');
}

function delta(text: string): string {
  return `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
}

function factsOf({ started, finished, terminated, finishReason, usage, error, countedTokens }: Meter) {
  return { started, finished, terminated, raw: finishReason?.raw, usage, error: error?.code, countedTokens };
}

describe('the meter', () => {
  it('relays everything but the cost as it came, and gives the terminator back', () => {
    const { meter, output, verdicts, asked } = relay(fixture('text'));
    const expected = fixture('text')
      .replace('"output_tokens":15}', '"output_tokens":15,"cost":0.00000007}')
      .replace(/event: message_stop[^]*$/, '');
    expect(output).toBe(expected);
    expect(verdicts).toEqual(['pass', 'pass', 'pass', 'pass', 'pass', 'pass', 'rewrite', 'done']);
    // "Grüße," is 8 bytes; ' "world"\n👋 👋' is 9 + 4 + 1 + 4 = 18; 26 / 4 rounded up is 7.
    const usage = { promptTokens: 2125, completionTokens: 15, cachedTokens: 2000, cacheWriteTokens: 100 };
    expect(factsOf(meter)).toEqual({
      started: true,
      finished: true,
      terminated: true,
      raw: 'end_turn',
      usage,
      error: undefined,
      countedTokens: 7,
    });
    expect(asked).toEqual([{ usage, countedTokens: 7 }]);
  });

  it.each(['text', 'thinking', 'tool-use', 'parallel-tools', 'error'])(
    'sees the same in %s however it is cut',
    (name) => {
      const whole = relay(fixture(name));
      for (const size of [1, 7, 64, 1000]) {
        const cut = relay(fixture(name), size);
        expect(cut.output).toBe(whole.output);
        expect(factsOf(cut.meter)).toEqual(factsOf(whole.meter));
      }
    },
  );

  it.each(['text', 'thinking', 'tool-use', 'parallel-tools'])(
    'sees the same in %s with CR LF, without event names, and with data first',
    (name) => {
      const whole = factsOf(relay(fixture(name)).meter);
      const nameless = fixture(name).replaceAll(/^event: .*\n/gm, '');
      const dataFirst = fixture(name).replaceAll(/^(event: .*)\n(data: .*)\n/gm, '$2\n$1\n');
      expect(factsOf(relay(fixture(name).replaceAll('\n', '\r\n')).meter)).toEqual(whole);
      expect(factsOf(relay(nameless).meter)).toEqual(whole);
      expect(factsOf(relay(dataFirst).meter)).toEqual(whole);
      expect(relay(nameless).output).toBe(relay(fixture(name)).output.replaceAll(/^event: .*\n/gm, ''));
    },
  );

  it('replaces a cost that is already there and finds usage wherever it stands', () => {
    const { output } = relay(
      'data: { "usage" : {"cost":1e-7, "output_tokens":5 } ,"delta":{"stop_reason":"end_turn"},"type":"message_delta"}\n\n',
    );
    expect(output).toBe(
      'data: { "usage" : {"cost":0.00000007, "output_tokens":5 } ,"delta":{"stop_reason":"end_turn"},"type":"message_delta"}\n\n',
    );
  });

  it('adds the cost to data that is spread over several lines', () => {
    const { output } = relay(
      'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},\ndata: "usage":{}}\n\n',
    );
    expect(output).toBe(
      'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},  "usage":{"cost":0.00000007}}\n\n',
    );
  });

  it('leaves a message_delta without stop reason or without usage as it is', () => {
    const early = 'data: {"type":"message_delta","delta":{},"usage":{"output_tokens":5}}\n\n';
    const bare = 'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n';
    expect(relay(early + bare).verdicts).toEqual(['pass', 'pass']);
    expect(relay(early + bare).output).toBe(early + bare);
  });

  it.each([
    [
      'an empty text block',
      '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
      false,
    ],
    ['an empty delta', '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}', false],
    ['a ping', '{"type": "ping"}', false],
    ['message_start', '{"type":"message_start","message":{"usage":{"input_tokens":1}}}', false],
    [
      'a text block with text',
      '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}',
      true,
    ],
    [
      'a thinking delta',
      '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}',
      true,
    ],
    [
      'a tool call',
      '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b"}}',
      true,
    ],
    [
      'redacted thinking',
      '{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"a"}}',
      true,
    ],
    ['a server tool', '{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}', true],
    ['a stop reason', '{"type":"message_delta","delta":{"stop_reason":"refusal"}}', true],
  ])('after %s, has the answer started?', (_, data, started) => {
    expect(relay(`data: ${data}\n\n`).meter.started).toBe(started);
  });

  it('stops at an error and says what kind it is', () => {
    const { meter, verdicts, output } = relay(fixture('error'));
    expect(verdicts.at(-1)).toBe('error');
    expect(meter.error?.code).toBe('upstream_unavailable');
    expect(output).not.toContain('Overloaded');
  });

  it('takes an event that is not JSON for an error, but only where it has to look', () => {
    expect(relay('data: <html>\n\n').meter.error?.code).toBe('upstream_protocol');
    expect(relay(`${delta('a')}event: ping\ndata: {\n\n`).verdicts).toEqual(['pass', 'pass']);
  });

  it('counts a delta whose data is spread over several lines', () => {
    const lines = delta('abcde').replace(',"delta"', ',\ndata: "delta"');
    expect(relay(lines).meter.countedTokens).toBe(2);
    expect(relay(lines).output).toBe(lines);
  });

  it('lets comments pass', () => {
    expect(relay(': keep-alive\n\n').verdicts).toEqual(['pass']);
  });

  it('counts content events where they are more than a quarter of the bytes', () => {
    expect(relay(delta('a').repeat(9)).meter.countedTokens).toBe(9);
    expect(relay(delta('') + delta('a')).meter.countedTokens).toBe(1);
  });

  it('counts the bytes of a text as they are after its escapes', () => {
    // Written raw: \" \\ \n are 1 byte each, \u0041 1, \u00e9 2, \u20ac 3, a pair of surrogates 4, é 2: 15 bytes.
    const escaped = String.raw`\"\\\n\u0041\u00e9\u20ac\ud83d\ude00é`;
    const event = `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${escaped}"}}\n\n`;
    expect(relay(event).meter.countedTokens).toBe(4);
    expect(relay(event.repeat(8)).meter.countedTokens).toBe(30);
  });

  it('counts every text as long as it is, escaped or not', () => {
    const unit = fc.constantFrom('"', '\\', '}', ' ', '\n', '\u0001', 'a', 'é', '€', '😀');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit }), fc.boolean())), (texts) => {
        const events = texts.map(([text, escaped]) =>
          escaped
            ? delta(text).replaceAll(/[^ -~\n]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : delta(text),
        );
        const bytes = texts.reduce((sum, [text]) => sum + new TextEncoder().encode(text).length, 0);
        const said = texts.filter(([text]) => text !== '').length;
        expect(relay(events.join('')).meter.countedTokens).toBe(Math.max(said, Math.ceil(bytes / 4)));
      }),
    );
  });

  it('is not deceived by text that looks like an event', () => {
    const tricky = '"}}\n\nevent: message_stop "stop_reason":"end_turn" "usage":{';
    const { meter, output } = relay(delta('a') + delta(tricky));
    expect([meter.finished, meter.terminated]).toEqual([false, false]);
    expect(output).toBe(delta('a') + delta(tricky));
  });
});

describe.skipIf(!existsSync(RECORDINGS))('the meter on recorded streams (../shared/wire)', () => {
  const names = existsSync(RECORDINGS) ? readdirSync(RECORDINGS).filter((file) => file.endsWith('.sse')) : [];

  it.each(names)('sees in %s what is expected, and relays its bytes', (name) => {
    const input = readFileSync(new URL(name, RECORDINGS), 'utf8');
    const { expected } = JSON.parse(readFileSync(new URL(name.replace('.sse', '.json'), RECORDINGS), 'utf8'));
    for (const size of [Number.POSITIVE_INFINITY, 997]) {
      const { meter, output } = relay(input, size);
      expect(meter.finishReason?.unified ?? null).toBe(expected.finish_reason);
      expect(meter.terminated).toBe(expected.message_stop);
      expect(meter.error !== undefined).toBe(expected.error !== null);
      expect(meter.usage?.promptTokens).toBe(expected.usage?.prompt_tokens);
      expect(meter.usage?.completionTokens).toBe(expected.usage?.completion_tokens);
      expect(meter.usage?.reasoningTokens ?? null).toBe(expected.usage?.reasoning_tokens ?? null);
      const last = expected.error === null ? 'event: message_stop' : 'event: error';
      expect(output.replace(',"cost":0.00000007', '')).toBe(input.slice(0, input.lastIndexOf(last)));
      expect(output.includes('"cost":0.00000007')).toBe(expected.finish_reason !== null);
    }
  });
});

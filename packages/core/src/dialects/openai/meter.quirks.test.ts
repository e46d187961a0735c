import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Meter } from '../dialect.ts';
import { content, decoder, encoder, meterFor, send } from './__fixtures__/metered.ts';

describe('tool calls of a provider that leaves out what official clients insist on', () => {
  const BARE = { quirks: { bareToolCalls: true } } as const;
  const calls = (list: string, rest = ''): string =>
    `id: 1\ndata: {"id":"c","choices":[{"index":0,"delta":{"content":null,"tool_calls":[${list}]}${rest}}]`;

  test('get type and index, and the chunk keeps all else', () => {
    const meter = meterFor(BARE);
    expect(
      send(meter, `${calls('{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{}}')}}\r\n\r\n`),
    ).toBe(
      `${calls(
        '{"id":"a","function":{"name":"f","arguments":"{}"},"index":0,"type":"function"},' +
          '{"id":"b","function":{},"index":1,"type":"function"}',
      )}}\r\n\r\n`,
    );
    const more = '{"function":{"arguments":"x"}}';
    for (let i = 0; i < 3; i++) {
      expect(send(meter, `${calls(more)}}\n\n`)).toBe(`${calls('{"function":{"arguments":"x"},"index":1}')}}\n\n`);
    }
    expect(meter).toMatchObject({ started: true, finished: false });
  });

  test('get them beside usage, which is treated as ever', () => {
    const event = `${calls('{"id":"a","function":{}}', ',"finish_reason":"tool_calls"')},"usage":{"prompt_tokens":3}}\n\n`;
    const completed = event.replace('"function":{}', '"function":{},"index":0,"type":"function"');
    expect(send(meterFor(BARE), event)).toBe(completed);
    expect(send(meterFor({ ...BARE, includeUsage: true }), event)).toBe(
      completed.replace('"prompt_tokens":3', '"prompt_tokens":3,"cost":0.000001234'),
    );
    expect(send(meterFor(BARE), event.replace('{"prompt_tokens":3}', 'null'))).toBe(
      completed.replace(',"usage":{"prompt_tokens":3}', ''),
    );
  });

  test('stay as they are with any other provider, and so do its texts', () => {
    const event = `${calls('{"id":"a","function":{}}')}}\n\n`;
    expect(send(meterFor(), event)).toBe(event);
    const meter = meterFor(BARE);
    for (let i = 0; i < 3; i++) expect(send(meter, content('a'))).toBe(content('a'));
  });
});

describe('content that is a list of texts and thoughts', () => {
  const list = (parts: string, rest = ''): string => content('x', rest).replace('"x"', `[${parts}]`);
  const thinking =
    '{"type":"thinking","thinking":[{"type":"text","text":"Hm"},{"type":"text","text":"!"}],"closed":true}';
  const PARTS = { quirks: { contentParts: true } } as const;

  test('goes out as two texts', () => {
    const meter = meterFor(PARTS);
    for (let i = 0; i < 3; i++) {
      const event = list(`${thinking},{"type":"text","text":"1"},{"type":"text","text":"2"}`, ',"usage":null');
      expect(send(meter, event)).toBe(content('12').replace('"12"', '"12","reasoning_content":"Hm!"'));
      expect(send(meter, list('{"type":"text","text":"3"}'))).toBe(content('3'));
      expect(send(meter, content('4'))).toBe(content('4'));
    }
    expect(meter).toMatchObject({ started: true, countedTokens: 9 });
  });

  test('stays as it is with any other provider', () => {
    const event = list(thinking);
    const meter = meterFor();
    for (let i = 0; i < 3; i++) expect(send(meter, event)).toBe(event);
  });
});

describe('reasoning that is called `reasoning` alone', () => {
  const BARE = { quirks: { bareReasoning: true } } as const;
  const delta = (members: string, rest = ''): string => content('x', rest).replace('"content":"x"', members);
  const texts = ['a', '', 'Grüße', '\\', '"', '\n"reasoning_content":', 'x'.repeat(5000)].map((text) =>
    JSON.stringify(text),
  );

  test('goes out under both names, with the same bytes', () => {
    const meter = meterFor(BARE);
    for (const text of texts) {
      for (const rest of ['', ',"x":1', ',"usage":null']) {
        expect(send(meter, delta(`"content":"","reasoning":${text},"role":"assistant"`, rest))).toBe(
          delta(
            `"content":"","reasoning":${text},"reasoning_content":${text},"role":"assistant"`,
            rest.replace(',"usage":null', ''),
          ),
        );
      }
    }
  });

  test('goes out under both names where what is cut out stands before it', () => {
    const meter = meterFor(BARE);
    for (const text of texts) {
      const event = delta(`"reasoning":${text}`).replace('{', '{"usage":null,');
      expect(send(meter, event)).toBe(delta(`"reasoning":${text},"reasoning_content":${text}`));
    }
  });

  test('is parsed once and copied from then on', () => {
    const meter = meterFor(BARE);
    const parse = vi.spyOn(JSON, 'parse');
    const events = texts.map((text) => delta(`"reasoning":${text}`, ',"usage":null'));
    for (const event of events) send(meter, event);
    const run = encoder.encode(events.join('').repeat(5));
    expect(meter.readRun?.(run, 0)).toBe(run.length);
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
    expect(decoder.decode(meter.runOutput)).toBe(
      texts
        .map((text) => delta(`"reasoning":${text},"reasoning_content":${text}`))
        .join('')
        .repeat(5),
    );
  });

  test.each([
    ['has the other name as well', '"reasoning":"a","reasoning_content":"b"'],
    ['has it as null', '"reasoning":"a","reasoning_content":null'],
    ['has the other name alone', '"reasoning_content":"a"'],
    ['is null', '"content":"a","reasoning":null'],
    ['stands elsewhere', '"content":"a","x":{"reasoning":"b"}'],
  ])('stays as it is when it %s', (_, members) => {
    const meter = meterFor(BARE);
    for (let i = 0; i < 3; i++) expect(send(meter, delta(members))).toBe(delta(members));
  });

  test('stays as it is with any other provider', () => {
    const meter = meterFor();
    for (let i = 0; i < 3; i++) expect(send(meter, delta('"reasoning":"a"'))).toBe(delta('"reasoning":"a"'));
  });

  test('is told from a text of the same form, beside a finish reason and usage, and in each choice', () => {
    const meter = meterFor({ ...BARE, includeUsage: true });
    const event = (deltas: string[], rest = ''): string =>
      `data: {"choices":[${deltas.map((each) => `{"delta":{${each}},"finish_reason":"stop"}`).join(', ')}]${rest}}\n\n`;
    expect(send(meter, delta('"content":"a","reasoning":""'))).toContain('"reasoning_content":""');
    expect(send(meter, delta('"content":"","reasoning":"a"'))).toContain('"reasoning_content":"a"');
    const usage = ',"usage":{"prompt_tokens":3}';
    expect(send(meter, event(['"reasoning":"a"', '"content":"b"', '"reasoning":"c"'], usage))).toBe(
      event(
        ['"reasoning":"a","reasoning_content":"a"', '"content":"b"', '"reasoning":"c","reasoning_content":"c"'],
        usage.replace('3', '3,"cost":0.000001234'),
      ),
    );
  });

  test('goes out under both names whatever comes between', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '}', '\n', 'a', 'é', '💙', '","reasoning":"') });
    const form = fc.constantFrom<((text: string, other: string) => object)[]>(
      (words) => ({ content: words }),
      (reasoning) => ({ content: '', reasoning }),
      (words, reasoning) => ({ content: words, reasoning }),
      (reasoning, other) => ({ reasoning, x: { reasoning: other } }),
      (other, reasoning) => ({ x: { reasoning: other }, reasoning }),
      (reasoning, other) => ({ reasoning, reasoning_content: other }),
      (reasoning) => ({ reasoning_content: null, reasoning }),
      (reasoning) => ({ content: null, reasoning, reasoning_details: [{ type: 'reasoning.text', text: reasoning }] }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(form, text, text), { maxLength: 40 }), (said) => {
        const deltas = said.map(([toDelta, ...words]) => toDelta(...words));
        const whole = encoder.encode(
          deltas.map((each) => `data: ${JSON.stringify({ choices: [{ delta: each }], usage: null })}\n\n`).join(''),
        );
        const out = relay(meterFor(BARE), whole);
        const named = deltas.map((each) =>
          'reasoning' in each && !('reasoning_content' in each) ? { ...each, reasoning_content: each.reasoning } : each,
        );
        expect(out).toEqual(named.map((each) => ({ choices: [{ delta: each }] })));
      }),
      { numRuns: 300 },
    );
  });

  /** The chunks that go out for whole events, read in runs where that is possible. */
  function relay(meter: Meter, bytes: Uint8Array): unknown[] {
    let out = '';
    for (let start = 0; start < bytes.length;) {
      const runEnd = meter.readRun?.(bytes, start) ?? start;
      if (runEnd > start) out += decoder.decode(meter.runOutput ?? bytes.subarray(start, runEnd));
      start = runEnd;
      if (start === bytes.length) break;
      const end = bytes.indexOf(0x0a, start) + 2;
      out += send(meter, decoder.decode(bytes.subarray(start, end)));
      start = end;
    }
    return [...out.matchAll(/^data: (.*)$/gm)].map(([, data = '']): unknown => JSON.parse(data));
  }
});

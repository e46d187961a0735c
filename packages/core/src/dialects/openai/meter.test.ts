import { describe, expect, test } from 'vitest';
import { content, decoder, encoder, finish, meterFor, send } from './__fixtures__/metered.ts';

describe('usage that nobody asked for', () => {
  test.each([
    [
      'last',
      '{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}',
      '{"choices":[{"index":0,"delta":{"content":"a"}}]}',
    ],
    [
      'first',
      '{"usage":null,"choices":[{"index":0,"delta":{"content":"a"}}]}',
      '{"choices":[{"index":0,"delta":{"content":"a"}}]}',
    ],
    ['in the middle', '{"id":"c","usage":null,"choices":[]}', '{"id":"c","choices":[]}'],
    ['alone', '{"usage":null}', '{}'],
    ['with spaces', '{ "usage" : null , "choices": [] }', '{ "choices": [] }'],
    ['with spaces, last', '{"choices": [], "usage": null }', '{"choices": [] }'],
  ])('"usage":null standing %s is cut out and JSON is left', (_, data, expected) => {
    expect(send(meterFor(), `data: ${data}\n\n`)).toBe(`data: ${expected}\n\n`);
  });

  test('"usage":null is cut out of the events that are only compared, whatever the length of their text', () => {
    const meter = meterFor();
    for (const text of ['a', 'Grüße', '"usage":null', '\\', '"', '', '\u2028 \n}', 'x'.repeat(5000)]) {
      expect(send(meter, content(text, ',"usage":null,"obfuscation":"q7"'))).toBe(content(text, ',"obfuscation":"q7"'));
      expect(send(meter, content(text, ',"usage":null,"obfuscation":""'))).toBe(content(text, ',"obfuscation":""'));
    }
  });

  test('it is cut out of what stands before the text, too', () => {
    const meter = meterFor();
    for (const text of ['a', 'bcd', 'ü']) {
      const event = `data: {"usage":null,"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;
      expect(send(meter, event)).toBe(event.replace('"usage":null,', ''));
    }
  });

  test('the bytes of the events that follow are left alone, also those of a Node buffer', () => {
    const events = Array.from({ length: 100 }, (_, i) => content(`${i}`.padStart(3), ',"usage":null'));
    const bytes = Buffer.from(events.join(''));
    const meter = meterFor();
    const length = bytes.length / events.length;
    const relayed = events.map((_, i) => {
      expect(meter.read(bytes, i * length, (i + 1) * length)).toBe('rewrite');
      return meter.rewritten;
    });
    expect(Buffer.concat(relayed).toString()).toBe(events.join('').replaceAll(',"usage":null', ''));
    expect(bytes.toString()).toBe(events.join(''));
  });

  test('a nested or quoted "usage":null stays', () => {
    const meter = meterFor();
    const event = 'data: {"x_groq":{"usage":null},"choices":[{"index":0,"delta":{"content":"\\"usage\\":null"}}]}\n\n';
    expect(send(meter, event)).toBe(event);
    expect(send(meter, event)).toBe(event);
  });

  test('the usage-only chunk is dropped and its counts are kept', () => {
    const meter = meterFor();
    expect(send(meter, 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n')).toBe('drop');
    expect(meter.usage).toMatchObject({ promptTokens: 3, completionTokens: 4 });
  });

  test('usage on a chunk with choices is what the provider sends anyway and stays', () => {
    const event = finish(0, ',"usage":{"prompt_tokens":3,"completion_tokens":4}');
    expect(send(meterFor(), event)).toBe(event);
  });
});

describe('usage that was asked for', () => {
  test('gets the exact cost on the usage-only chunk, priced by usage and count', () => {
    const prices: unknown[][] = [];
    const meter = meterFor({ includeUsage: true, prices });
    send(meter, content('twelve bytes'));
    const event = 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n';
    expect(send(meter, event)).toBe(event.replace('4}', '4,"cost":0.000001234}'));
    expect(prices).toEqual([[4, 3]]);
  });

  test.each(['0.5', '{"total_cost":0.006,"parts":[1,"}"]}', 'null'])("replaces the provider's own cost %s", (cost) => {
    const event = `data: {"choices":[],"usage":{"cost": ${cost}, "prompt_tokens":3}}\r\n\r\n`;
    expect(send(meterFor({ includeUsage: true }), event)).toBe(event.replace(cost, '0.000001234'));
  });

  test('a running count on an earlier chunk stays as it is, the one with the finish reason gets the cost', () => {
    const meter = meterFor({ includeUsage: true });
    const early = content('a', ',"usage":{"completion_tokens":1}');
    expect(send(meter, early)).toBe(early);
    expect(send(meter, finish(0, ',"usage":{"completion_tokens":1}'))).toContain(
      '"completion_tokens":1,"cost":0.000001234}',
    );
  });

  test('"usage":null stays', () => {
    const meter = meterFor({ includeUsage: true });
    const event = content('a', ',"usage":null');
    expect(send(meter, event)).toBe(event);
    expect(send(meter, event)).toBe(event);
  });

  test('is written before the terminator, from our own count, when the provider sent none', () => {
    const prices: unknown[][] = [];
    const meter = meterFor({ includeUsage: true, prices });
    const head = '"id":"c","object":"chat.completion.chunk","created":5,"model":"m"';
    send(meter, `data: {${head},"choices":[{"index":0,"delta":{"content":"twelve bytes"}}]}\n\n`);
    send(meter, finish(0, ',"x_groq":{"usage":{"completion_tokens":7}}'));
    expect(send(meter, 'data: [DONE]\n\n')).toBe('done');
    const [chunk = '', done] = meter.terminator?.split('\n\n') ?? [];
    expect(done).toBe('data: [DONE]');
    expect(JSON.parse(chunk.slice('data: '.length))).toMatchObject({
      ...JSON.parse(`{${head}}`),
      choices: [],
      usage: { prompt_tokens: 15, completion_tokens: 42, cost: 0.000001234 },
    });
    expect(prices).toEqual([[7, 3]]);
  });

  test.each([
    ['did', { includeUsage: true }, 'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n'],
    ['did with its finish reason', { includeUsage: true }, finish(0, ',"usage":{"prompt_tokens":3}')],
    ['did not and nobody asked', { includeUsage: false }, finish()],
  ])('leaves the terminator as it is when the provider %s', (_, options, event) => {
    const meter = meterFor(options);
    for (const sent of [content('a'), finish(), event, 'data: [DONE]\n\n']) send(meter, sent);
    expect(meter.terminator).toBeUndefined();
  });

  test('data on several lines is joined', () => {
    const event = 'id: 7\ndata: {"choices":[],\ndata: "usage":{"prompt_tokens":3}}\n\n';
    expect(send(meterFor({ includeUsage: true }), event)).toBe(
      'data: {"choices":[], "usage":{"prompt_tokens":3,"cost":0.000001234}}\n\n',
    );
  });
});

describe('a run of events like the last', () => {
  const texts = ['b', '', 'Grüße', '\\"usage\\":null', 'x'.repeat(2000), '}\n\ndata: '];

  test.each([
    ['copied', encoder.encode('')],
    ['in a Node buffer', Buffer.from('')],
  ])('is read and cut as its events would be one by one, %s', (_, kind) => {
    const [one, run] = [meterFor(), meterFor()];
    const events = texts.map((text) => content(text, ',"usage":null,"obfuscation":"q7"'));
    const expected = [content('a', ',"usage":null'), ...events, finish()].map((event) => send(one, event));
    send(run, content('a', ',"usage":null,"obfuscation":""'));
    const encoded = encoder.encode(`: x\n\n${events.join('')}${finish()}`);
    const bytes = Buffer.isBuffer(kind) ? Buffer.from(encoded) : encoded;
    const end = run.readRun?.(bytes, 5);
    expect(end).toBe(encoded.length - finish().length);
    expect(decoder.decode(run.runOutput)).toBe(expected.slice(1, -1).join(''));
    expect(Buffer.compare(bytes, encoded)).toBe(0);
    send(run, finish());
    expect(run).toMatchObject({ countedTokens: one.countedTokens, finished: true, started: true });
  });

  test('goes out as it is when nothing is to be cut', () => {
    const meter = meterFor({ includeUsage: true });
    send(meter, content('a', ',"usage":null'));
    const bytes = encoder.encode(texts.map((text) => content(text, ',"usage":null')).join(''));
    expect(meter.readRun?.(bytes, 0)).toBe(bytes.length);
    expect(meter.runOutput).toBeUndefined();
  });

  test('ends before an event that is not whole, at whatever byte that is cut', () => {
    const whole = encoder.encode(content('b', ',"usage":null'));
    const bytes = encoder.encode(content('b', ',"usage":null').repeat(2));
    for (let cut = whole.length; cut < bytes.length; cut++) {
      const meter = meterFor();
      send(meter, content('a', ',"usage":null'));
      expect(meter.readRun?.(bytes.subarray(0, cut), 0)).toBe(whole.length);
      expect(decoder.decode(meter.runOutput)).toBe(content('b'));
      expect(meter.countedTokens).toBe(2);
    }
  });

  test.each([
    ['has a finish reason', finish()],
    ['is the terminator', 'data: [DONE]\n\n'],
    ['is an error', 'data: {"error":{"message":"secret"}}\n\n'],
    ['has one member more', content('b', ',"x":1')],
    ['has a line feed in its text', content('XY').replace('XY', 'X\nY')],
    ['says the same with one byte other', content('b').replace('"id":"c"', '"id":"d"')],
  ])('ends before an event that %s', (_, event) => {
    const meter = meterFor();
    send(meter, content('a'));
    const run = content('b').repeat(3);
    expect(meter.readRun?.(encoder.encode(run + event), 0)).toBe(run.length);
    expect(meter).toMatchObject({ countedTokens: 4, finished: false, terminated: false, error: undefined });
  });

  test('is empty as long as no event was read', () => {
    const meter = meterFor();
    expect(meter.readRun?.(encoder.encode(content('a')), 0)).toBe(0);
    expect(meter.started).toBe(false);
  });
});

describe('what a stream has said', () => {
  test('a chunk with only a role does not start it; a text does', () => {
    const meter = meterFor();
    send(meter, 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n');
    expect(meter.started).toBe(false);
    send(meter, content('a'));
    expect(meter.started).toBe(true);
  });

  test.each([
    ['reasoning', '{"reasoning":"a"}'],
    ['reasoning_content', '{"reasoning_content":"a"}'],
    ['a refusal', '{"refusal":"no"}'],
    ['a tool call', '{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}'],
    ['a list of parts', '{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}'],
    ['speech', '{"audio":{"data":"AAAA"}}'],
    ['an old function call', '{"function_call":{"name":"f","arguments":""}}'],
  ])('%s starts it', (_, delta) => {
    const meter = meterFor();
    send(meter, `data: {"choices":[{"index":0,"delta":${delta}}]}\n\n`);
    expect(meter).toMatchObject({ started: true, countedTokens: 1 });
  });

  test('it is finished when each choice asked for has its finish reason', () => {
    const meter = meterFor({ choices: 2 });
    send(meter, finish(0));
    expect(meter.finished).toBe(false);
    send(meter, finish(0));
    expect(meter.finished).toBe(false);
    send(meter, finish(1));
    expect(meter.finished).toBe(true);
  });

  test('it is not finished while a choice more than asked for goes on', () => {
    const meter = meterFor();
    send(meter, content('a').replace('"index":0', '"index":1'));
    send(meter, finish(0));
    expect(meter.finished).toBe(false);
    send(meter, finish(1));
    expect(meter.finished).toBe(true);
  });

  test('a finish reason is seen in an event that is otherwise like those before it', () => {
    const meter = meterFor();
    for (const text of ['a', 'b', 'c']) send(meter, content(text));
    send(meter, content('d').replace('"finish_reason":null', '"finish_reason":"length"'));
    expect(meter).toMatchObject({
      finished: true,
      finishReason: { unified: 'length', raw: 'length' },
      countedTokens: 4,
    });
  });

  test('output tokens are counted as the larger of events and bytes by four', () => {
    const meter = meterFor();
    for (let i = 0; i < 5; i++) send(meter, content('a'));
    expect(meter.countedTokens).toBe(5);
    for (let i = 0; i < 5; i++) send(meter, content('€'.repeat(8)));
    // 5 + 5 × 24 bytes = 125 bytes.
    expect(meter.countedTokens).toBe(32);
    send(meter, content(''));
    expect(meter.countedTokens).toBe(32);
  });

  test('a text that stands twice in an event counts once', () => {
    const meter = meterFor();
    for (let i = 0; i < 2; i++) {
      send(
        meter,
        `data: {"choices":[{"index":0,"text":"${'x'.repeat(40)}","delta":{"content":"${'x'.repeat(40)}"}}]}\n\n`,
      );
    }
    expect(meter.countedTokens).toBe(20);
  });

  test('events that are never alike are all read', () => {
    const meter = meterFor();
    for (let i = 0; i < 40; i++) send(meter, content('abcd', `,"number":${i}`));
    expect(meter.countedTokens).toBe(40);
  });

  test('usage of Groq is found in its envelope', () => {
    const meter = meterFor();
    const event = finish(0, ',"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":4}}');
    expect(send(meter, event)).toBe(event);
    expect(meter.usage).toMatchObject({ promptTokens: 3, completionTokens: 4 });
  });
});

describe('framing', () => {
  test.each([': OPENROUTER PROCESSING\n\n', ': keep-alive\r\n\r\n', '\n', 'event: ping\n\n', 'retry: 5\n\n'])(
    'an event without data passes: %j',
    (event) => {
      const meter = meterFor();
      expect(send(meter, event)).toBe(event);
      expect(meter).toMatchObject({ started: false, error: undefined });
    },
  );

  test.each([
    ['CRLF', 'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\r\n\r\n'],
    ['no space after the colon', 'data:{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\n\n'],
    ['a byte order mark', '\ufeffdata: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\n\n'],
    [
      'a name and an id',
      'event: chunk\nid: "7"\ndata: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}\n\n',
    ],
  ])('an event with %s keeps its form', (_, event) => {
    const meter = meterFor();
    expect(send(meter, event)).toBe(event.replace(',"usage":null', ''));
    expect(send(meter, event)).toBe(event.replace(',"usage":null', ''));
    expect(meter).toMatchObject({ started: true, countedTokens: 2 });
  });

  test('the terminator ends it', () => {
    for (const event of ['data: [DONE]\n\n', 'data:[DONE]\r\n\r\n', 'data: [DONE]']) {
      const meter = meterFor();
      expect(send(meter, event)).toBe('done');
      expect(meter.terminated).toBe(true);
    }
  });

  test('an event with empty data, on which official clients fail, is dropped', () => {
    expect(send(meterFor(), 'data:\n\n')).toBe('drop');
  });
});

describe('errors', () => {
  test.each([
    ['an object', 'data: {"error":{"message":"secret","type":"server_error"}}\n\n', 'upstream_error'],
    ['a text', 'data: {"error":"secret"}\n\n', 'upstream_error'],
    ['beside choices', 'data: {"choices":[],"error":{"code":429,"message":"secret"}}\n\n', 'upstream_rate_limited'],
    ['flat', 'data: {"object":"error","message":"secret","code":400}\n\n', 'upstream_rejected'],
    ['by the name of the event', 'event: error\ndata: {"message":"secret"}\n\n', 'upstream_error'],
    ['by the name of the event, as plain text', 'event: error\ndata: secret\n\n', 'upstream_error'],
    ['inside a choice', 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n', 'upstream_error'],
    [
      'an end for lack of resources',
      'data: {"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}\n\n',
      'upstream_error',
    ],
    ['a full context', 'data: {"error":{"code":"context_length_exceeded"}}\n\n', 'context_length_exceeded'],
    ['not JSON', 'data: secret\n\n', 'upstream_protocol'],
    ['cut JSON', 'data: {"choices":[{"index":0,"delta":{"con\n\n', 'upstream_protocol'],
    ['not an object', 'data: [1]\n\n', 'upstream_protocol'],
  ])('an error is seen as %s and its text stays here', (_, event, code) => {
    const meter = meterFor();
    send(meter, content('a'));
    send(meter, content('b'));
    expect(send(meter, event)).toBe('error');
    expect(meter.error?.code).toBe(code);
    expect(meter.error?.message).not.toContain('secret');
  });

  test('"error":null is none', () => {
    const event = content('a', ',"error":null');
    expect(send(meterFor(), event)).toBe(event);
  });

  test('a line break inside a string is not taken for text of an event like the one before', () => {
    const meter = meterFor();
    send(meter, content('a'));
    expect(send(meter, content('XY').replace('XY', 'X\ndata: Y'))).toBe('error');
  });
});

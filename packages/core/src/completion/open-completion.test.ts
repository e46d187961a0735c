import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { GatewayError } from '../errors.ts';
import type { Script } from '../undici/__fixtures__/test-server.ts';
import {
  chunk,
  cut,
  DONE,
  good,
  goodWhole,
  hang,
  HELLO,
  INLINE_ERROR,
  json,
  keepSending,
  named,
  refuse,
  ROLE,
  silent,
  STOP,
  stream,
  text,
} from './__fixtures__/scripts.ts';
import { createWorld, errorOf, readAll, readUntilError } from './__fixtures__/world.ts';

const WAIT = { timeout: 10_000 };

const LEFT = new GatewayError('client_cancelled', 'The caller left.');
const TOO_LONG = { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' };

describe('a stream', () => {
  test('comes as its provider sent it, and the provider did well', async () => {
    await using world = await createWorld({ providers: { a: good, b: good } });
    const completion = await world.open();
    expect(await readAll(completion)).toBe(ROLE + HELLO + STOP + DONE);
    expect(completion.served.candidate.id).toBe('a');
    expect(world.asked).toEqual(['a']);
    expect(world.records).toEqual(['a began', 'a succeeded']);
    expect(world.failures).toEqual([]);
  });

  test("of another dialect comes in the caller's", async () => {
    const events = [
      { type: 'message_start', message: { usage: { input_tokens: 4, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ];
    await using world = await createWorld({ providers: { claude: stream(named(events)) } });

    const translated = await world.open({ max_tokens: 9 });
    expect(await readAll(translated)).toMatch(/"content":"Hello".*"finish_reason":"stop".*data: \[DONE\]\n\n$/s);
    expect(translated.streamed && translated.receipt(true)).toMatchObject({
      counts: { promptTokens: 4, completionTokens: 2 },
      estimated: false,
    });

    const native = await world.open({ max_tokens: 9 }, { answerDialect: 'native' });
    expect(native.dialect.name).toBe('anthropic');
    expect(await readAll(native)).toMatch(/^event: message_start\n.*event: message_stop\n[^\n]*\n\n$/s);
  });

  test("tells Anthropic's callers at its beginning what their request may have, and at its end what it had", async () => {
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3}}\n\n';
    await using world = await createWorld({ providers: { a: stream(ROLE, HELLO, STOP, usage, DONE) } });
    const said = await readAll(await world.open({}, { answerDialect: anthropicDialect }));
    expect(said).toMatch(/^event: message_start\n.*"usage":\{"input_tokens":10,"output_tokens":0\}/);
    expect(said).toMatch(/event: message_delta\n.*"input_tokens":12,.*"output_tokens":3,/);
  });

  test('has what its callers look for, unless they have asked for the format of the provider', async () => {
    const thought = chunk({ reasoning: 'Hm' });
    await using world = await createWorld({ providers: { groq: stream(thought, HELLO, STOP, DONE) } });
    expect(await readAll(await world.open())).toContain('"reasoning":"Hm","reasoning_content":"Hm"');
    expect(await readAll(await world.open({}, { answerDialect: 'native' }))).toBe(thought + HELLO + STOP + DONE);

    const message = { reasoning: 'Hm', content: 'Hello' };
    const whole = json(200, { choices: [{ message, finish_reason: 'stop' }], usage: { completion_tokens: 2 } });
    await using other = await createWorld({ providers: { groq: whole } });
    const readMessage = async (more: object): Promise<unknown> =>
      JSON.parse(await readAll(await other.open({ stream: false }, more))).choices[0].message;
    expect(await readMessage({})).toEqual({ ...message, reasoning_content: 'Hm' });
    expect(await readMessage({ answerDialect: 'native' })).toEqual(message);
  });

  test.each<[string, Script]>([
    ['its terminator but no finish reason', stream(ROLE, HELLO, DONE)],
    ['its finish reason but no terminator', stream(ROLE, HELLO, STOP)],
    ['its finish reason, and is cut off then', cut(ROLE, HELLO, STOP)],
  ])('is complete with %s, and ends with a terminator', async (_title, script) => {
    await using world = await createWorld({ providers: { a: script } });
    expect(await readAll(await world.open())).toMatch(/"content":"Hello".*data: \[DONE\]\n\n$/s);
    expect(world.records).toEqual(['a began', 'a succeeded']);
  });

  test('begins with the bytes that came before its first content', async () => {
    let goOn: (() => void) | undefined;
    const slow: Script = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
      setTimeout(() => response.write(ROLE), 20);
      setTimeout(() => response.write(HELLO), 40);
      goOn = () => response.end(STOP + DONE);
    };
    await using world = await createWorld({ providers: { a: slow } });
    const completion = await world.open();
    goOn?.();
    expect(await readAll(completion)).toBe(`: hello\n\n${ROLE}${HELLO}${STOP}${DONE}`);
  });

  test('is complete at its terminator; a provider that then does not hang up is hung up on', async () => {
    await using world = await createWorld({ providers: { a: hang(ROLE, HELLO, STOP, DONE) } });
    expect(await readAll(await world.open())).toBe(ROLE + HELLO + STOP + DONE);
    expect(world.records).toEqual(['a began', 'a succeeded']);
    await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
  });

  test('may come without a content type', async () => {
    await using world = await createWorld({ providers: { a: text(200, HELLO + STOP + DONE) } });
    expect(await readAll(await world.open())).toContain('Hello');
  });
});

/** What goes wrong before the commit point: how the provider fails, whether a stream is asked for, and what it means. */
const FAILURES: readonly [string, { script: Script; streams: readonly boolean[]; code: string; blamed?: boolean }][] = [
  ['an error as first event', { script: stream(INLINE_ERROR), streams: [true], code: 'upstream_error' }],
  ['an error after the role', { script: stream(ROLE, INLINE_ERROR), streams: [true], code: 'upstream_error' }],
  ['a stream of nothing', { script: stream(), streams: [true], code: 'upstream_protocol' }],
  ['a role and no more', { script: stream(ROLE), streams: [true], code: 'upstream_protocol' }],
  ['a terminator at once', { script: hang(ROLE, DONE), streams: [true], code: 'upstream_protocol' }],
  ['events that are no JSON', { script: stream('data: {oops\n\n'), streams: [true], code: 'upstream_protocol' }],
  ['endless comments', { script: stream(': ping\n\n'.repeat(40_000)), streams: [true], code: 'upstream_protocol' }],
  [
    'a page',
    {
      script: text(200, '<html>', { 'content-type': 'text/html' }),
      streams: [true, false],
      code: 'upstream_protocol',
    },
  ],
  ['JSON instead of a stream', { script: goodWhole, streams: [true], code: 'upstream_protocol' }],
  ['a stream instead of JSON', { script: good, streams: [false], code: 'upstream_protocol' }],
  ['an empty answer', { script: text(200, ''), streams: [true, false], code: 'upstream_protocol' }],
  ['JSON that is no answer', { script: json(200, {}), streams: [false], code: 'upstream_protocol' }],
  [
    'a compressed answer',
    {
      script: text(200, '\u001f\u008b', { 'content-encoding': 'gzip' }),
      streams: [true, false],
      code: 'upstream_protocol',
    },
  ],
  ['an answer that breaks off', { script: cut('{"choices":'), streams: [true, false], code: 'upstream_disconnected' }],
  [
    'a connection that ends',
    {
      script: (response) => void response.socket?.destroy(),
      streams: [true, false],
      code: 'upstream_unavailable',
    },
  ],
  ['status 500', { script: refuse(500), streams: [true, false], code: 'upstream_unavailable' }],
  ['status 503', { script: refuse(503), streams: [true, false], code: 'upstream_unavailable' }],
  ['status 401', { script: refuse(401), streams: [true, false], code: 'upstream_auth' }],
  ['status 429', { script: refuse(429), streams: [true, false], code: 'upstream_rate_limited', blamed: false }],
  ['a redirect', { script: text(302, '', { location: '/x' }), streams: [true, false], code: 'upstream_unavailable' }],
  ['silence', { script: silent, streams: [true, false], code: 'upstream_timeout' }],
  ['headers, then silence', { script: hang(), streams: [true, false], code: 'upstream_timeout' }],
  ['a role, then silence', { script: hang(ROLE), streams: [true], code: 'upstream_timeout' }],
  ['blank lines', { script: keepSending('', '\n'), streams: [false], code: 'upstream_timeout' }],
];

// Some wait for a provider's silence, and none for another.
describe.concurrent.each(FAILURES)('after %s', (_title, { script, streams, code, blamed = true }) => {
  test.each(streams)('the next candidate serves (stream: %s)', async (streamed) => {
    const timeoutsMs = code === 'upstream_timeout' ? { bad: 1_000 } : {};
    await using world = await createWorld({
      providers: { bad: script, next: streamed ? good : goodWhole, third: silent },
      firstEventTimeoutsMs: timeoutsMs,
      wholeAnswerTimeoutsMs: timeoutsMs,
    });
    const completion = await world.open({ stream: streamed });
    expect(completion.served.candidate.id).toBe('next');
    const answer = await readAll(completion);
    expect(answer).toContain('Hello');
    if (streamed) expect(answer).toBe(ROLE + HELLO + STOP + DONE);
    // With a refreshed credential once more.
    expect(world.asked).toEqual(code === 'upstream_auth' ? ['bad', 'bad', 'next'] : ['bad', 'next']);
    expect(world.failures.map(({ candidate, error }) => [candidate.candidate.id, error?.code])).toEqual([
      ['bad', code],
    ]);
    expect(world.failures[0]?.error?.message).not.toMatch(/secret|10\.0\.0\.1/);
    const records = ['next began', 'next succeeded'];
    expect(world.records).toEqual(blamed ? ['bad failed', ...records] : records);
  });
});

describe.each([true, false])('asked to stream: %s,', (streamed) => {
  const whole = streamed ? good : goodWhole;

  test('a request that a provider refuses goes to nobody else, and nobody is blamed', async () => {
    await using world = await createWorld({ providers: { a: refuse(400), b: whole } });
    const error = await errorOf(world.open({ stream: streamed }));
    expect(error).toMatchObject({ code: 'upstream_rejected', upstreamStatus: 400 });
    expect(world.asked).toEqual(['a']);
    expect(world.records).toEqual([]);
    expect(world.failures).toHaveLength(1);
  });

  test('an input that is too long goes to a larger model', async () => {
    await using world = await createWorld({
      providers: { a: refuse(400, TOO_LONG), same: whole, larger: whole },
      contextWindows: { a: 8_000, same: 8_000, larger: 16_000 },
    });
    await readAll(await world.open({ stream: streamed }));
    expect(world.asked).toEqual(['a', 'larger']);
    expect(world.records).toEqual(['larger began', 'larger succeeded']);
  });

  test('what cannot be written in a dialect goes to the next, without a call', async () => {
    await using world = await createWorld({ providers: { claude: whole, b: whole } });
    const completion = await world.open({ stream: streamed, logprobs: true });
    await readAll(completion);
    expect(world.asked).toEqual(['b']);
    expect(world.failures.map(({ error }) => error?.code)).toEqual(['unsupported_parameter']);
    expect(world.records).toEqual(['b began', 'b succeeded']);
  });

  test('candidates get their turn in the same order, and the last error is thrown', async () => {
    await using world = await createWorld({
      providers: { a: refuse(500), b: refuse(429), c: refuse(401), d: whole },
    });
    const error = await errorOf(world.open({ stream: streamed }));
    expect(error.code).toBe('upstream_auth');
    expect(world.asked).toEqual(['a', 'b', 'c', 'c']);
    expect(world.records).toEqual(['a failed', 'c failed']);
    expect(world.failures.map(({ status }) => status)).toEqual([500, 429, 401]);
  });

  describe('when the caller leaves,', () => {
    test.each<[string, Script]>([
      ['before the headers', silent],
      ['before the first content', hang(streamed ? ROLE : '{')],
      ['while an error answer comes', (response) => void response.writeHead(500).write('{')],
    ])('%s, the connection is closed and nobody is blamed or asked', async (_title, script) => {
      await using world = await createWorld({ providers: { a: script, b: whole } });
      const opening = errorOf(world.open({ stream: streamed }));
      await vi.waitFor(() => expect(world.asked).toEqual(['a']), WAIT);
      await wait(50);
      world.cancel.abort(LEFT);
      expect(await opening).toBe(LEFT);
      await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
      expect(world.asked).toEqual(['a']);
      expect(world.records).toEqual([]);
    });

    test('during failover, its reason is what is thrown', async () => {
      await using world = await createWorld({ providers: { a: refuse(500), b: silent, c: whole } });
      const opening = errorOf(world.open({ stream: streamed }));
      await vi.waitFor(() => expect(world.asked).toEqual(['a', 'b']), WAIT);
      world.cancel.abort(LEFT);
      expect(await opening).toBe(LEFT);
      await vi.waitFor(() => expect(world.hungUp).toEqual(['b']), WAIT);
      expect(world.asked).toEqual(['a', 'b']);
      expect(world.records).toEqual(['a failed']);
    });

    test('before it began, nobody is asked', async () => {
      await using world = await createWorld({ providers: { a: whole, b: whole } });
      world.cancel.abort(LEFT);
      expect(await errorOf(world.open({ stream: streamed }))).toBe(LEFT);
      expect(world.asked).toEqual([]);
      expect(world.records).toEqual([]);
    });
  });
});

// They wait for time to pass, and this long only because a busy machine must still make it to a provider and back within it.
describe.concurrent.each([true, false])('asked to stream: %s,', (streamed) => {
  const whole = streamed ? good : goodWhole;

  test("the caller's own limit of time ends it all, and nobody is blamed for it", async () => {
    await using world = await createWorld({ providers: { a: silent } });
    const error = await errorOf(world.open({ stream: streamed }, { maxLatencyMs: 1_000 }));
    expect(error.code).toBe('upstream_timeout');
    expect(world.asked).toEqual(['a']);
    expect(world.records).toEqual([]);
    await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
  });

  test('half of it is left to the others when one keeps silent, and it is not blamed for that', async () => {
    await using world = await createWorld({ providers: { a: silent, b: whole } });
    await readAll(await world.open({ stream: streamed }, { maxLatencyMs: 4_000 }));
    expect(world.asked).toEqual(['a', 'b']);
    expect(world.failures.map(({ error }) => error.code)).toEqual(['upstream_timeout']);
    expect(world.records).toEqual(['b began', 'b succeeded']);
  });

  test('a failure within the limit of time leaves the rest of it to the next', async () => {
    await using world = await createWorld({ providers: { a: refuse(500), b: silent } });
    const error = await errorOf(world.open({ stream: streamed }, { maxLatencyMs: 2_000 }));
    expect(error.code).toBe('upstream_timeout');
    expect(world.asked).toEqual(['a', 'b']);
    expect(world.records).toEqual(['a failed']);
  });
});

describe.concurrent('past the commit point', () => {
  test('a stream is served once its first content is there, however long the rest takes', async () => {
    await using world = await createWorld({ providers: { a: hang(ROLE, HELLO) }, firstEventTimeoutsMs: { a: 1_500 } });
    const completion = await world.open();
    await wait(1_700);
    expect(completion.streamed && completion.facts.error).toBeUndefined();
    expect(world.hungUp).toEqual([]);
  });

  test.each<[string, Script, string]>([
    ['a connection that breaks', cut(ROLE, HELLO), 'upstream_disconnected'],
    ['an end without finish reason', stream(ROLE, HELLO), 'upstream_protocol'],
    ['an end within an event', stream(ROLE, HELLO, 'data: {"cho'), 'upstream_protocol'],
    ['an event that is no JSON', stream(ROLE, HELLO, 'data: oops\n\n', STOP, DONE), 'upstream_protocol'],
    ['an endless line', stream(ROLE, HELLO, 'data: ' + 'x'.repeat(3_000_000)), 'upstream_protocol'],
    ['an error event', stream(ROLE, HELLO, INLINE_ERROR, STOP, DONE), 'upstream_error'],
    ['an error event after the finish reason', stream(ROLE, HELLO, STOP, INLINE_ERROR), 'upstream_error'],
    ['silence', hang(ROLE, HELLO), 'upstream_timeout'],
  ])('%s ends the stream with an error, and no other provider is asked', async (_title, script, code) => {
    await using world = await createWorld({
      providers: { a: script, b: good },
      idleTimeoutMs: code === 'upstream_timeout' ? 1_000 : 10_000,
    });
    const completion = await world.open();
    if (!completion.streamed) throw new Error('not a stream');
    const { text: read, error } = await readUntilError(completion.output);
    expect(read.startsWith(ROLE + HELLO)).toBe(true);
    expect(read).not.toContain('error');
    expect(error).toMatchObject({ code });
    expect(world.asked).toEqual(['a']);
    expect(world.failures).toEqual([]);
    expect(world.records).toEqual(['a began', 'a failed']);
    // One content event was counted; input is our own estimate.
    expect(completion.receipt(false)).toMatchObject({
      counts: { promptTokens: 10, completionTokens: 2 },
      estimated: true,
    });
  });

  describe('a provider that keeps sending, but no answer,', () => {
    const babble = (line: string): Script => keepSending(ROLE + HELLO, line);

    test.each([
      ['pings', babble(': ping\n\n')],
      ['pieces of one event', babble('x')],
    ])('is given up for its %s', async (_title, script) => {
      await using world = await createWorld({ providers: { a: script }, progressTimeoutMs: 1_000 });
      const completion = await world.open();
      if (!completion.streamed) throw new Error('not a stream');
      const { error } = await readUntilError(completion.output);
      expect(error).toMatchObject({ code: 'upstream_timeout' });
      expect(world.records).toEqual(['a began', 'a failed']);
      await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
    });

    test('may go on as long as content comes, unless a stream has a longest time', async () => {
      const script = babble(HELLO);
      await using patient = await createWorld({ providers: { a: script }, progressTimeoutMs: 1_000 });
      const endless = await patient.open();
      if (!endless.streamed) throw new Error('not a stream');
      setTimeout(() => patient.cancel.abort(LEFT), 1_500);
      expect((await readUntilError(endless.output)).error).toBe(LEFT);

      await using strict = await createWorld({ providers: { a: script }, totalTimeoutMs: 1_000 });
      const limited = await strict.open();
      if (!limited.streamed) throw new Error('not a stream');
      expect((await readUntilError(limited.output)).error).toMatchObject({ code: 'upstream_timeout' });
    });
  });

  test('a caller that leaves closes the connection, gets its reason, and blames nobody', async () => {
    await using world = await createWorld({ providers: { a: hang(ROLE, HELLO), b: good } });
    const completion = await world.open();
    if (!completion.streamed) throw new Error('not a stream');
    setTimeout(() => world.cancel.abort(LEFT), 50);
    expect(await readUntilError(completion.output)).toEqual({ text: ROLE + HELLO, error: LEFT });
    await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
    expect(world.asked).toEqual(['a']);
    expect(world.records).toEqual(['a began']);
  });

  test('an abort blames nobody, whatever its reason', async () => {
    const reason = new GatewayError('upstream_timeout', 'This took too long altogether.');
    await using world = await createWorld({ providers: { a: hang(ROLE, HELLO) } });
    const completion = await world.open();
    if (!completion.streamed) throw new Error('not a stream');
    world.cancel.abort(reason);
    expect((await readUntilError(completion.output)).error).toBe(reason);
    expect(world.records).toEqual(['a began']);
  });

  test('a reader that stops closes the connection and blames nobody', async () => {
    await using world = await createWorld({ providers: { a: hang(ROLE, HELLO) } });
    const completion = await world.open();
    if (!completion.streamed) throw new Error('not a stream');
    for await (const output of completion.output) {
      expect(output.length).toBeGreaterThan(0);
      break;
    }
    await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
    expect(world.records).toEqual(['a began']);
  });
});

describe('between two attempts', () => {
  /** Fails so many times, then serves. */
  const failing = (times: number, script: Script): Script => {
    let failures = 0;
    return (response, request) => (failures++ < times ? script : good)(response, request);
  };

  test('a provider alone is asked again after a pause', async () => {
    await using world = await createWorld({ providers: { a: failing(2, refuse(503)) } });
    expect(await readAll(await world.open({}, { random: () => 0 }))).toContain('Hello');
    expect(world.asked).toEqual(['a', 'a', 'a']);
  });

  test('a caller that leaves is not waited for, and nobody is asked any more', async () => {
    await using world = await createWorld({ providers: { a: json(429, {}, { 'retry-after': '4' }) } });
    const opening = errorOf(world.open());
    await vi.waitFor(() => expect(world.failures).toHaveLength(1), WAIT);
    world.cancel.abort(LEFT);
    expect(await opening).toBe(LEFT);
    expect(world.asked).toEqual(['a']);
  });
});

describe('a whole answer', () => {
  test('that is far too long is given up', async () => {
    const endless: Script = (response) => {
      const block = Buffer.alloc(1024 * 1024, ' ');
      const write = (): void => {
        while (response.write(block));
        response.once('drain', write);
      };
      write();
    };
    await using world = await createWorld({ providers: { a: endless, b: goodWhole } });
    expect(await readAll(await world.open({ stream: false }))).toContain('Hello');
    expect(world.failures[0]?.error).toMatchObject({ code: 'upstream_protocol' });
    await vi.waitFor(() => expect(world.hungUp).toEqual(['a']), WAIT);
  });

  test('comes with its exact cost and the bill', async () => {
    await using world = await createWorld({ providers: { a: goodWhole } });
    const completion = await world.open({ stream: false });
    if (completion.streamed) throw new Error('a stream');
    // 7 tokens at 1 USD and 3 at 2 USD per million.
    expect(completion.receipt).toMatchObject({ cost: { total: 13_000n }, estimated: false });
    expect(completion.body).toMatch(/"content":"Hello".*"cost":0\.000013/);
    expect(world.records).toEqual(['a began', 'a succeeded']);
  });

  test('without usage is counted in UTF-8 bytes', async () => {
    const message = { role: 'assistant', content: '东京东京' };
    const answer = { choices: [{ index: 0, message, finish_reason: 'stop' }] };
    await using world = await createWorld({ providers: { a: json(200, answer) } });
    const completion = await world.open({ stream: false });
    // 4 × 3 bytes / 4, and the input as estimated.
    expect(!completion.streamed && completion.receipt).toMatchObject({
      counts: { promptTokens: 10, completionTokens: 3 },
      estimated: true,
    });
  });
});

test('the choices of a request are all waited for', async () => {
  const second = chunk({ content: 'b' }).replace('"index":0', '"index":1');
  await using world = await createWorld({ providers: { a: stream(HELLO, second, STOP) } });
  const completion = await world.open({ n: 2 });
  if (!completion.streamed) throw new Error('not a stream');
  expect((await readUntilError(completion.output)).error).toMatchObject({ code: 'upstream_protocol' });
});

import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { GatewayError } from '../errors.ts';
import { createHealth } from '../router/health.ts';
import type { Script } from '../undici/__fixtures__/test-server.ts';
import {
  DONE,
  good,
  goodWhole,
  hang,
  HELLO,
  keepSending,
  named,
  ROLE,
  silent,
  STOP,
  WHOLE,
} from './__fixtures__/scripts.ts';
import { createWorld, errorOf, readAll } from './__fixtures__/world.ts';

const WAIT = { timeout: 10_000 };
const LEFT = new GatewayError('client_cancelled', 'The caller left.');

/** Events of Anthropic's dialect and of the responses API whose model thinks and shows nothing of it, and what follows. */
const THINKERS = {
  claude: {
    thinking: named([
      { type: 'message_start', message: { usage: { input_tokens: 4, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    ]),
    ping: named([{ type: 'ping' }]),
    answer: named([
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ]),
  },
  codex: {
    thinking: named([
      { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [] } },
    ]),
    ping: ': ping\n\n',
    answer: named([
      { type: 'response.output_item.added', output_index: 1, item: { type: 'message', content: [] } },
      { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'Hello' },
      { type: 'response.completed', response: { id: 'r', status: 'completed', output: [] } },
    ]),
  },
};

describe.concurrent.each([
  ['claude', 'native'],
  ['claude', openaiDialect],
  ['codex', 'native'],
  ['codex', openaiDialect],
] as const)('a stream of %s whose model thinks unseen', (name, answerDialect) => {
  const { thinking, ping, answer } = THINKERS[name];

  test('is not silent, and serves however late its first content is', async () => {
    const script: Script = (response, request) => {
      keepSending(thinking, ping)(response, request);
      setTimeout(() => response.end(answer), 1_500);
    };
    await using world = await createWorld({ providers: { [name]: script }, firstEventTimeoutsMs: { [name]: 1_000 } });
    expect(await readAll(await world.open({ max_tokens: 9 }, { answerDialect }))).toContain('Hello');
    expect(world.asked).toEqual([name]);
    expect(world.records).toEqual([`${name} began`, `${name} succeeded`]);
  });

  test('gives way to the next when nothing comes of it, whatever it pings', async () => {
    await using world = await createWorld({
      providers: { [name]: keepSending(thinking, ping), next: good },
      progressTimeoutMs: 1_000,
    });
    expect(await readAll(await world.open({ max_tokens: 9 }, { answerDialect }))).toBe(ROLE + HELLO + STOP + DONE);
    expect(world.asked).toEqual([name, 'next']);
    expect(world.records).toEqual([`${name} failed`, 'next began', 'next succeeded']);
    await vi.waitFor(() => expect(world.hungUp).toEqual([name]), WAIT);
  });

  test('gives way to the next when not even pings come', async () => {
    await using world = await createWorld({ providers: { [name]: hang(thinking), next: good }, idleTimeoutMs: 1_000 });
    expect(await readAll(await world.open({ max_tokens: 9 }, { answerDialect }))).toBe(ROLE + HELLO + STOP + DONE);
    expect(world.asked).toEqual([name, 'next']);
  });

  test("ends when the caller's time is up, and is not blamed for it", async () => {
    await using world = await createWorld({ providers: { [name]: keepSending(thinking, ping) } });
    const error = await errorOf(world.open({ max_tokens: 9 }, { answerDialect, maxLatencyMs: 1_000 }));
    expect(error.code).toBe('upstream_timeout');
    expect(world.records).toEqual([]);
  });
});

describe.concurrent('a whole answer that takes long', () => {
  /** Well beyond the idle timeout, of which undici takes notice up to a second late. */
  const LATE_MS = 2_000;
  const IDLE_MS = 300;

  test.each<[string, Script]>([
    ['whose headers come with it', (response, request) => void setTimeout(() => goodWhole(response, request), LATE_MS)],
    [
      'whose headers come first',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        setTimeout(() => response.end(WHOLE), LATE_MS);
      },
    ],
    [
      'before which blank lines come',
      (response, request) => {
        keepSending('', '\n')(response, request);
        setTimeout(() => response.end(WHOLE), LATE_MS);
      },
    ],
  ])('is waited for, %s: neither a first event nor a sign of life is due', async (_title, script) => {
    await using world = await createWorld({
      providers: { a: script },
      firstEventTimeoutsMs: { a: 1 },
      idleTimeoutMs: IDLE_MS,
    });
    const completion = await world.open({ stream: false });
    expect(JSON.parse(await readAll(completion))).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
    expect(world.records).toEqual(['a began', 'a succeeded']);
  });
});

describe.concurrent('a caller that leaves while it waits for a whole answer', () => {
  /** What is known of a deployment after somebody has waited for it for 200 ms. */
  async function leave(firstEventMs: number) {
    const health = createHealth({ now: () => performance.now() });
    await using world = await createWorld({ providers: { a: silent }, firstEventTimeoutsMs: { a: firstEventMs } });
    const opening = errorOf(world.open({ stream: false }, { health }));
    await vi.waitFor(() => expect(world.asked).toEqual(['a']), WAIT);
    await wait(200);
    world.cancel.abort(LEFT);
    expect(await opening).toBe(LEFT);
    return health.read('a');
  }

  test('after longer than a stream may keep silent leaves how long that was, and no failure', async () => {
    const { ttftMs, requests } = await leave(100);
    expect(ttftMs).toBeGreaterThan(190);
    expect(requests).toBe(0);
  });

  test('before that leaves nothing', async () => {
    expect(await leave(10_000)).toMatchObject({ ttftMs: 0, requests: 0 });
  });
});

test.concurrent('an error that does not end is not waited for as long as a whole answer', async () => {
  await using world = await createWorld({
    providers: { a: (response) => void response.writeHead(503).write('{'), b: goodWhole },
    firstEventTimeoutsMs: { a: 500 },
    wholeAnswerTimeoutsMs: { a: 60_000 },
    idleTimeoutMs: 60_000,
  });
  expect(await readAll(await world.open({ stream: false }))).toContain('Hello');
  expect(world.failures).toMatchObject([{ status: 503, error: { code: 'upstream_unavailable' } }]);
});

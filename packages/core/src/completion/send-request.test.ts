import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { GatewayError } from '../errors.ts';
import { createCredential, EJECTED_MS } from '../providers/credential.ts';
import type { Script } from '../undici/__fixtures__/test-server.ts';
import { good, goodWhole, refuse, text } from './__fixtures__/scripts.ts';
import { createWorld, errorOf, readAll } from './__fixtures__/world.ts';

const WAIT = { timeout: 10_000 };

const LEFT = new GatewayError('client_cancelled', 'The caller left.');

/** A credential whose readings give these secrets, one after the other and then the last for ever. */
function createReadings(...secrets: readonly (string | Error)[]) {
  const readings: string[] = [];
  const credential = createCredential({
    read: () => {
      const secret = secrets[readings.length] ?? secrets.at(-1);
      readings.push(String(secret));
      return secret instanceof Error ? Promise.reject(secret) : Promise.resolve(secret);
    },
    // Stands still, so that rests can be compared.
    now: () => 0,
  });
  return { credential, readings };
}

/** Serves who has the key, and refuses everybody else. */
function lock(key: string, script: Script): Script {
  return (response, request) => {
    const isRight = request.headers.authorization === `Bearer ${key}`;
    (isRight ? script : refuse(401))(response, request);
  };
}

/** Refuses the first request, whatever its key. */
function refuseOnce(script: Script): Script {
  let refused = false;
  return (response, request) => {
    (refused ? script : refuse(401))(response, request);
    refused = true;
  };
}

describe.each([true, false])('asked to stream: %s,', (streamed) => {
  const whole = streamed ? good : goodWhole;

  test('a request that is refused goes out again with the refreshed secret, and nobody hears of it', async () => {
    const { credential, readings } = createReadings('old', 'new');
    await using world = await createWorld({
      providers: { a: lock('new', whole), b: whole },
      credentials: { a: credential },
    });
    const completion = await world.open({ stream: streamed });
    expect(await readAll(completion)).toContain('Hello');
    expect(completion.served.candidate.id).toBe('a');
    expect(world.asked).toEqual(['a', 'a']);
    expect(readings).toEqual(['old', 'new']);
    expect(world.failures).toEqual([]);
    expect(world.records).toEqual(['a began', 'a succeeded']);
  });

  test('a key that does not change is tried again as it is', async () => {
    await using world = await createWorld({ providers: { a: refuseOnce(whole), b: whole } });
    const completion = await world.open({ stream: streamed });
    await readAll(completion);
    expect(completion.served.candidate.id).toBe('a');
    expect(world.asked).toEqual(['a', 'a']);
  });

  test('refused twice, its credential is ejected and the next candidate serves', async () => {
    const { credential, readings } = createReadings('old', 'wrong');
    await using world = await createWorld({
      providers: { a: lock('new', whole), b: whole },
      credentials: { a: credential },
    });
    const completion = await world.open({ stream: streamed });
    await readAll(completion);
    expect(completion.served.candidate.id).toBe('b');
    expect(world.asked).toEqual(['a', 'a', 'b']);
    expect(readings).toHaveLength(2);
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
    expect(world.failures.map(({ error, status }) => [error.code, status])).toEqual([['upstream_auth', 401]]);
    expect(world.records[0]).toBe('a failed');
  });

  test.each([
    ['at first', [new Error('no such file')], 0],
    ['when it is refreshed', ['old', new Error('no such file')], 1],
  ])('a credential that cannot be read %s is ejected and the next candidate serves', async (_title, secrets, asked) => {
    const { credential } = createReadings(...secrets);
    await using world = await createWorld({
      providers: { a: lock('new', whole), b: whole },
      credentials: { a: credential },
    });
    const completion = await world.open({ stream: streamed });
    await readAll(completion);
    expect(completion.served.candidate.id).toBe('b');
    expect(world.asked.filter((name) => name === 'a')).toHaveLength(asked);
    expect(credential.ejectedForMs()).toBe(EJECTED_MS);
    expect(world.failures.map(({ error }) => error.code)).toEqual(['upstream_auth']);
  });

  test('a status other than 401 refreshes nothing', async () => {
    const { credential, readings } = createReadings('key');
    await using world = await createWorld({ providers: { a: refuse(403), b: whole }, credentials: { a: credential } });
    await readAll(await world.open({ stream: streamed }));
    expect(world.asked).toEqual(['a', 'b']);
    expect(readings).toHaveLength(1);
    expect(credential.ejectedForMs()).toBe(0);
  });

  test('100 requests that are refused together refresh once, and all are served', async () => {
    const { credential, readings } = createReadings('old', 'new');
    let waiting: (() => void)[] | undefined = [];
    // The first hundred are refused when all have come.
    const together: Script = (response, request) => {
      if (waiting === undefined) return lock('new', whole)(response, request);
      waiting.push(() => refuse(401)(response, request));
      if (waiting.length < 100) return;
      for (const answer of waiting) answer();
      waiting = undefined;
    };
    await using world = await createWorld({ providers: { a: together }, credentials: { a: credential } });
    const completions = Array.from({ length: 100 }, () => world.open({ stream: streamed }));
    for (const completion of completions) expect(await readAll(await completion)).toContain('Hello');
    expect(readings).toEqual(['old', 'new']);
    expect(world.asked).toHaveLength(200);
  });
});

test("a translated answer keeps every digit of the model's large numbers", async () => {
  const answer = `{"id":"m","type":"message","role":"assistant","content":[{"type":"tool_use","id":"t","name":"f",
    "input":{"id": 12345678901234567890}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}`;
  await using world = await createWorld({
    providers: { claude: text(200, answer, { 'content-type': 'application/json' }) },
  });
  const read = await readAll(await world.open({ stream: false }));
  expect(read).toContain(String.raw`"arguments":"{\"id\":12345678901234567890}"`);
});

describe.concurrent('while a refresh takes its time', () => {
  /** The first reading is there, the second never comes. */
  function createStuck() {
    let readings = 0;
    const read = (): Promise<string> => (readings++ === 0 ? Promise.resolve('old') : new Promise(() => {}));
    return createCredential({ read, now: () => 0 });
  }

  test('a caller that leaves gets its reason, and nobody else is asked', async () => {
    await using world = await createWorld({
      providers: { a: refuse(401), b: good },
      credentials: { a: createStuck() },
    });
    const opening = errorOf(world.open());
    await vi.waitFor(() => expect(world.asked).toEqual(['a']), WAIT);
    await wait(50);
    world.cancel.abort(LEFT);
    expect(await opening).toBe(LEFT);
    expect(world.asked).toEqual(['a']);
    expect(world.records).toEqual([]);
  });

  test("the caller's limit of time holds", async () => {
    await using world = await createWorld({
      providers: { a: refuse(401) },
      credentials: { a: createStuck() },
    });
    const error = await errorOf(world.open({}, { maxLatencyMs: 1_000 }));
    expect(error.code).toBe('upstream_timeout');
    expect(world.asked).toEqual(['a']);
  });

  test('the next candidate serves when the provider would be too late', async () => {
    await using world = await createWorld({
      providers: { a: refuse(401), b: good },
      credentials: { a: createStuck() },
      firstEventTimeoutsMs: { a: 1_000 },
    });
    const completion = await world.open();
    await readAll(completion);
    expect(completion.served.candidate.id).toBe('b');
    expect(world.failures.map(({ error }) => error.code)).toEqual(['upstream_timeout']);
  });

  test('a caller that leaves does not take the reading from the others', async () => {
    const { promise: slow, resolve: arrive } = Promise.withResolvers<string>();
    let readings = 0;
    const read = (): Promise<string> => (readings++ === 0 ? Promise.resolve('old') : slow);
    const credential = createCredential({ read, now: () => 0 });
    await using world = await createWorld({ providers: { a: lock('new', good) }, credentials: { a: credential } });
    const leaver = new AbortController();
    const leaving = errorOf(world.open({}, { signal: leaver.signal }));
    const staying = world.open();
    await vi.waitFor(() => expect(readings).toBe(2), WAIT);
    leaver.abort(LEFT);
    expect(await leaving).toBe(LEFT);
    arrive('new');
    expect(await readAll(await staying)).toContain('Hello');
    expect(readings).toBe(2);
  });
});

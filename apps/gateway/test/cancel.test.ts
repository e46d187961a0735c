import { startConnectBlackHole, type ConnectBlackHole, type SimulatedRequest } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRawCaller, writeRawRequest, type RawCaller } from './raw-caller.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

/** The `failing` deployments come first, since their ids are the smaller ones. */
const configuration = (blackHole: string): string => `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
  - { id: vllm, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
  - { id: unreachable, type: openai, base_url: "${blackHole}/v1", api_key: sk-simulated, allow_private: true }
  - { id: failing, type: openai, base_url: "\${SIMULATOR}/sim/status=503/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: silent, type: openai, base_url: "\${SIMULATOR}/sim/fault=silent/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: limited, type: openai, base_url: "\${SIMULATOR}/sim/status=429,retry-after=3/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude, max_output_tokens: 64000, deployments: [{ provider: anthropic, model: claude }], price: { input: "10.00", output: "30.00" } }
  - { id: llama, deployments: [{ provider: vllm, model: llama }], price: { input: "10.00", output: "30.00" } }
  - { id: unreachable, deployments: [{ provider: unreachable, model: m }], price: { input: "10.00", output: "30.00" } }
  - { id: failing, deployments: [{ provider: failing, model: m }, { provider: silent, model: m }], price: { input: "10.00", output: "30.00" } }
  - { id: limited, deployments: [{ provider: limited, model: m }], price: { input: "10.00", output: "30.00" } }
keys:
  - { id: test, key: "\${KEY}", models: ["*"], org: acme, limits: { concurrency: 5 } }
`;

let hub: TestGateway;
let witness: Witness;
let blackHole: ConnectBlackHole;
beforeAll(async () => {
  blackHole = await startConnectBlackHole();
  hub = await startTestGateway({ config: configuration(blackHole.url) });
  witness = createWitness(hub);
});
afterAll(async () => {
  witness.close();
  await hub.close();
  await blackHole.close();
});

/** One request that its caller will leave. */
interface Run {
  readonly id: string;
  readonly caller: RawCaller;
  /** What providers were asked on its behalf. */
  readonly asked: () => SimulatedRequest[];
}

interface Ask {
  readonly model?: string;
  readonly directives?: string;
  readonly stream?: boolean;
  readonly path?: string;
  readonly reads?: boolean;
}

let runs = 0;

/** The body that each surface takes, with the run's id in the prompt. */
function bodyOf({ model = 'gpt-4', directives = '', stream = true, path }: Ask, id: string): object {
  const messages = [{ role: 'user', content: `${id} [simulate ${directives}]` }];
  if (path === '/v1/chat') return { request: { model_hint: model, messages, stream } };
  if (path === '/v1/responses') return { model, input: messages, stream, max_output_tokens: 60_000 };
  return { model, messages, stream, max_tokens: 60_000 };
}

async function start(ask: Ask): Promise<Run> {
  const id = `run-${++runs}`;
  const caller = await connectRawCaller(hub.url, { reads: ask.reads ?? true });
  caller.send(writeRawRequest({ path: ask.path ?? '/v1/chat/completions', key: KEY, id, body: bodyOf(ask, id) }));
  const asked = (): SimulatedRequest[] =>
    hub.simulator.requests.filter(({ body }) => (JSON.stringify(body) ?? '').includes(`${id} `));
  return { id, caller, asked };
}

interface Health {
  readonly breaker: string;
  readonly failures: number;
}

/** Of all deployments of a model, by their ids. */
async function healthOf(model: string): Promise<Record<string, Health>> {
  const response = await hub.post('/v1/route/explain', { model, messages: [{ role: 'user', content: 'Hello' }] });
  const { ranked, excluded } = (await response.json()) as Record<
    'ranked' | 'excluded',
    { deployment: string; model: string; health: Health }[]
  >;
  return Object.fromEntries(
    [...ranked, ...excluded]
      .filter((entry) => entry.model === model)
      .map(({ deployment, health: { breaker, failures } }) => [deployment, { breaker, failures }]),
  );
}

/** Everything that was taken for a request is given back, and nobody works for it any more. */
async function expectNothingLeft({ asked }: Run): Promise<void> {
  await expect.poll(() => hub.simulator.activeStreams, { timeout: 10_000 }).toBe(0);
  await expect.poll(() => witness.metric('tokenhub_open_requests'), { timeout: 5_000 }).toBe(0);
  expect(await witness.metric('tokenhub_open_streams')).toBe(0);
  await expect.poll(() => witness.leases(), { timeout: 5_000 }).toBe(0);
  expect(await witness.quota('key:test', 'acme')).toMatchObject({ concurrency: 0, day: { heldNanoUsd: 0n } });
  const requests = asked().length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked()).toHaveLength(requests);
}

const arrivedAt = (status: number | undefined) => (run: Run) =>
  expect.poll(() => run.asked().map((request) => request.status), { timeout: 5_000 }).toEqual([status]);

describe('a caller that leaves before its first token (F67)', () => {
  interface Phase extends Ask {
    readonly phase: string;
    /** Resolves when the phase has been reached. */
    readonly reached: (run: Run) => Promise<unknown>;
    /** How the attempts ended, in their order. */
    readonly attempts: readonly string[];
    /** Of the provider's requests, in their order. */
    readonly upstream: readonly SimulatedRequest['outcome'][];
    /** Failures that are the provider's own, by deployment. */
    readonly failures?: Readonly<Record<string, number>>;
  }
  const cancelled = { attempts: ['client_cancelled'], upstream: ['client_closed'] } as const;
  const phases: readonly Phase[] = [
    {
      phase: 'while the gateway connects to the provider',
      model: 'unreachable',
      async reached() {
        await expect.poll(() => witness.leases()).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 100));
      },
      attempts: ['client_cancelled'],
      upstream: [],
    },
    {
      phase: 'while the gateway waits for headers',
      directives: 'fault=silent',
      reached: arrivedAt(undefined),
      ...cancelled,
    },
    {
      phase: 'while the gateway waits for the first event',
      directives: 'fault=headers-only',
      reached: arrivedAt(200),
      ...cancelled,
    },
    {
      phase: 'while the gateway waits for an answer that is not streamed',
      directives: 'delay=60000',
      stream: false,
      reached: arrivedAt(undefined),
      ...cancelled,
    },
    {
      phase: 'in the middle of an answer that is not streamed',
      directives: 'fault=stall after=1',
      stream: false,
      reached: arrivedAt(200),
      ...cancelled,
    },
    {
      phase: 'in the pause before the next attempt',
      model: 'limited',
      async reached({ asked }) {
        await expect.poll(() => asked().map(({ outcome }) => outcome), { timeout: 5_000 }).toEqual(['answered']);
        await new Promise((resolve) => setTimeout(resolve, 100));
      },
      attempts: ['upstream_rate_limited'],
      upstream: ['answered'],
    },
    {
      phase: 'while the gateway fails over',
      model: 'failing',
      reached: ({ asked }) =>
        expect.poll(() => asked().map(({ outcome }) => outcome), { timeout: 5_000 }).toEqual(['answered', 'open']),
      attempts: ['upstream_unavailable', 'client_cancelled'],
      upstream: ['answered', 'client_closed'],
      failures: { 'failing@failing': 1 },
    },
  ];

  it.each(phases.map(({ phase, ...rest }) => [phase, rest] as const))(
    '%s pays nothing, and the provider is let go and not blamed',
    async (_phase, { reached, attempts, upstream, failures = {}, ...ask }) => {
      const before = await healthOf(ask.model ?? 'gpt-4');
      const run = await start(ask);
      await reached(run);
      run.caller.leave();
      await expectNothingLeft(run);

      expect(run.asked().map(({ outcome }) => outcome)).toEqual(upstream);
      const event = await witness.costEvent(run.id);
      expect(event).toMatchObject({
        outcome: 'client_cancelled',
        errorReason: 'client_cancelled',
        costNanoUsd: 0n,
        counts: { promptTokens: 0, completionTokens: 0 },
      });
      expect(event.attempts.map(({ outcome }) => outcome)).toEqual(attempts);
      const expected = Object.entries(before).map(([deployment, health]) => [
        deployment,
        { breaker: 'closed', failures: health.failures + (failures[deployment] ?? 0) },
      ]);
      expect(await healthOf(ask.model ?? 'gpt-4')).toEqual(Object.fromEntries(expected));
    },
  );

  it('before its request has arrived is never heard of again', async () => {
    const id = `run-${++runs}`;
    const caller = await connectRawCaller(hub.url);
    const request = writeRawRequest({ key: KEY, id, body: bodyOf({}, id) });
    const events = (await witness.costEvents()).length;
    const asked = hub.simulator.requests.length;
    caller.send(request.slice(0, -10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    caller.leave();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await witness.costEvents()).toHaveLength(events);
    expect(hub.simulator.requests).toHaveLength(asked);
    expect(await witness.leases()).toBe(0);
  });
});

describe('a caller that leaves while the quota store is slow (F67)', () => {
  // Redis holds back what writes; only a real one can be told to.
  const pause = async (): Promise<void> => void (await witness.redis.call('CLIENT', 'PAUSE', '5000', 'WRITE'));
  const heal = async (): Promise<void> => void (await witness.redis.call('CLIENT', 'UNPAUSE'));
  const isWaiting = (): Promise<unknown> =>
    expect.poll(() => witness.metric('tokenhub_open_requests'), { interval: 5, timeout: 5_000 }).toBe(1);

  // A machine that is too busy to do its part in the 250 ms of an admission gets another chance.
  it('is granted its reservation and gives it back at once, and nobody is asked', { retry: 5 }, async ({ skip }) => {
    skip(hub.redis.pid === undefined, 'the substitute for Redis cannot be paused');
    await pause();
    const run = await start({ directives: 'tokens=100 pace=10' });
    await isWaiting();
    run.caller.leave();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await heal();
    await expectNothingLeft(run);
    expect(run.asked()).toEqual([]);
    expect((await witness.costEvents()).find((event) => event.clientRequestId === run.id)).toMatchObject({
      outcome: 'client_cancelled',
      costNanoUsd: 0n,
    });
  });

  it('and is granted it too late leaves no lease behind', async ({ skip }) => {
    skip(hub.redis.pid === undefined, 'the substitute for Redis cannot be paused');
    await pause();
    const run = await start({ directives: 'tokens=100 pace=10' });
    await isWaiting();
    run.caller.leave();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await heal();
    await expectNothingLeft(run);
    expect(run.asked()).toEqual([]);
    expect((await witness.costEvents()).filter((event) => event.clientRequestId === run.id)).toEqual([]);
  });
});

describe('a caller that leaves in the middle of its stream (F67)', () => {
  const SURFACES = ['/v1/chat/completions', '/v1/chat', '/v1/messages', '/v1/responses'];
  const cases = ['gpt-4', 'claude', 'llama'].flatMap((model) => SURFACES.map((path) => ({ model, path })));

  it.each(cases)('$path from $model pays for what it got, and the provider is let go', async ({ model, path }) => {
    const before = await healthOf(model);
    const run = await start({ model, path, directives: 'tokens=5000 pace=5' });
    // A few events of text, in whichever format
    await run.caller.until(/(?:content|text_delta|output_text)[^]*(?:ulat)[^]*(?:ed\])/);
    run.caller.leave();
    await expectNothingLeft(run);

    const [request] = run.asked();
    expect(request?.outcome).toBe('client_closed');
    const event = await witness.costEvent(run.id);
    expect(event).toMatchObject({
      outcome: 'client_cancelled',
      estimated: true,
      attempts: [{ outcome: 'served', status: 200 }],
    });
    const { promptTokens, completionTokens } = event.counts;
    // The caller had read three tokens by then; what was on its way when it left is billed as well.
    expect(completionTokens).toBeGreaterThanOrEqual(3);
    expect(completionTokens).toBeLessThanOrEqual((request?.tokensSent ?? 0) + 1);
    expect(promptTokens).toBeGreaterThan(0);
    expect(event.costNanoUsd).toBe(BigInt(promptTokens) * 10_000n + BigInt(completionTokens) * 30_000n);
    expect(await healthOf(model)).toEqual(before);
  });

  it('without having read any of it pays for what was taken off the provider', async () => {
    const before = await healthOf('gpt-4');
    // 20 MB, more than all sockets on the way hold.
    const run = await start({ directives: 'tokens=80000 pace=1 burst=400', reads: false });
    const sent = (): number => run.asked()[0]?.tokensSent ?? 0;
    let last = -1;
    await expect
      .poll(
        () => {
          const stands = last > 0 && last === sent();
          last = sent();
          return stands;
        },
        { interval: 400, timeout: 15_000 },
      )
      .toBe(true);
    expect(sent()).toBeLessThan(80_000);
    run.caller.leave();
    await expectNothingLeft(run);
    expect(run.asked().map(({ outcome }) => outcome)).toEqual(['client_closed']);
    const event = await witness.costEvent(run.id);
    expect(event).toMatchObject({ outcome: 'client_cancelled', estimated: true });
    expect(event.counts.completionTokens).toBeGreaterThan(0);
    expect(event.counts.completionTokens).toBeLessThanOrEqual(sent());
    expect(await healthOf('gpt-4')).toEqual(before);
  });

  it('with a reset instead of a goodbye is the same', async () => {
    const run = await start({ directives: 'tokens=5000 pace=5' });
    await run.caller.until(/ulat/);
    run.caller.socket.resetAndDestroy();
    await expectNothingLeft(run);
    expect(await witness.costEvent(run.id)).toMatchObject({ outcome: 'client_cancelled' });
  });
});

describe('a caller that leaves after the end (F67)', () => {
  it.each(['gpt-4', 'claude', 'llama'])('at [DONE] from %s has a complete answer', async (model) => {
    const run = await start({ model, directives: 'tokens=5 pace=5 prompt=7' });
    await run.caller.until(/data: \[DONE\]/);
    run.caller.leave();
    await expectNothingLeft(run);
    expect(await witness.costEvent(run.id)).toMatchObject({
      outcome: 'completed',
      estimated: false,
      counts: { promptTokens: 7, completionTokens: 5 },
      costNanoUsd: 220_000n,
    });
    expect(Object.values(await healthOf(model)).map(({ breaker }) => breaker)).toEqual(['closed']);
  });

  it('with one request answered and the next one under way cancels only that', async () => {
    const run = await start({ directives: 'tokens=5 pace=0' });
    await run.caller.until(/\[DONE\]/);
    const id = `run-${++runs}`;
    const ask = { directives: 'fault=silent' };
    run.caller.send(writeRawRequest({ key: KEY, id, body: bodyOf(ask, id) }));
    await expect.poll(() => hub.simulator.activeStreams).toBe(1);
    run.caller.leave();
    await expectNothingLeft(run);
    expect(await witness.costEvent(run.id)).toMatchObject({ outcome: 'completed' });
    expect(await witness.costEvent(id)).toMatchObject({ outcome: 'client_cancelled', costNanoUsd: 0n });
  });
});

it('none of those who left keeps another caller waiting (F67)', async () => {
  // The key allows five requests at a time.
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      hub.post('/v1/chat/completions', {
        model: 'gpt-4',
        messages: [{ role: 'user', content: 'Hello [simulate delay=200]' }],
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
});

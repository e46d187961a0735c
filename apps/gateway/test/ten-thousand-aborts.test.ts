import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@tokenhub/simulator';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { insist, STORE_IS_SLOW } from './insist.ts';
import { connectRawCaller, writeRawRequest } from './raw-caller.ts';
import { readTestConfig, startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

const ABORTS = 10_000;
const AT_ONCE = 60;
const STORM_KEY = 'tokenhub_storm-key-0123456789';
const LIMIT = 10;

// The first deployment of `mixed` never serves, so that some leave while the gateway fails over.
const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
  - { id: vllm, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
  - { id: busy, type: openai, base_url: "\${SIMULATOR}/sim/status=429/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude, max_output_tokens: 8000, deployments: [{ provider: anthropic, model: claude }], price: { input: "3.00", output: "15.00" } }
  - { id: llama, deployments: [{ provider: vllm, model: llama }], price: { input: "0.10", output: "0.20" } }
  - { id: mixed, deployments: [{ provider: busy, model: mixed }, { provider: openai, model: mixed }], price: { input: "1.00", output: "2.00" } }
keys:
  - { id: test, key: "\${KEY}", models: ["*"], org: acme, limits: { concurrency: 100000 } }
  - { id: storm, key: ${STORM_KEY}, models: ["*"], org: storm, limits: { concurrency: ${LIMIT} } }
`;
const KEY = 'tokenhub_test-key-0123456789';
/** Of these no stream breaks, so that no breaker opens before those who wait for an answer. */
const SOUND_MODELS = ['gpt-4', 'claude'];
const MODELS = [...SOUND_MODELS, 'llama', 'mixed'];
const SURFACES = ['/v1/chat/completions', '/v1/chat', '/v1/messages'];
/** Fast and slow ones, and some that never end. */
const ANSWERS = [
  'tokens=20 pace=0',
  'tokens=20 pace=1',
  'tokens=40 pace=2 burst=3',
  'tokens=20 pace=1 delay=10',
  'tokens=8 fault=silent',
  'tokens=8 fault=headers-only',
  'tokens=8 fault=stall pace=1',
];
const BREAKING = 'tokens=8 fault=mid-stream-error pace=1';

let hub: TestGateway;
let witness: Witness;
const warnings: Error[] = [];
const onWarning = (warning: Error): void => void warnings.push(warning);
beforeAll(async () => {
  process.on('warning', onWarning);
  hub = await startTestGateway({ config: CONFIG, simulator: { logSize: 2 * ABORTS } });
  witness = createWitness(hub);
});
afterAll(async () => {
  process.off('warning', onWarning);
  witness.close();
  await hub.close();
});

// It shares this process.
beforeEach(({ skip }) => skip(hub.redis.kind === 'embedded', 'the substitute for Redis is too slow for so many'));

function writeRequest(key: string, path: string, { model, stream, directives }: Record<string, unknown>): string {
  const messages = [{ role: 'user', content: `Hello [simulate ${String(directives)}]` }];
  const body =
    path === '/v1/chat'
      ? { request: { model_hint: model, messages, stream } }
      : { model, messages, stream, max_tokens: 1_000 };
  return writeRawRequest({ path, key, body });
}

async function ask(content: string): Promise<number> {
  const messages = [{ role: 'user', content }];
  const response = await insist(() => hub.post('/v1/chat/completions', { model: 'gpt-4', messages }));
  await response.text();
  return response.status;
}

/** Of timers, sockets and whatever else keeps a process alive, how many there are. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Idle connections to providers are no leak; a reload closes them. */
async function closeIdleConnections(): Promise<void> {
  hub.gateway.reload(readTestConfig(CONFIG, hub.simulator.url));
  await vi.waitFor(() => expect(hub.simulator.openSockets).toBe(0), 10_000);
}

/** Nobody waits for anything any more. */
async function expectRest(seed: number): Promise<void> {
  const of = `with seed ${seed}`;
  await vi.waitFor(() => expect(hub.simulator.activeStreams, `upstream ${of}`).toBe(0), 10_000);
  for (const gauge of ['tokenhub_open_requests', 'tokenhub_open_streams', 'tokenhub_unsettled_requests']) {
    await vi.waitFor(async () => expect(await witness.metric(gauge), `${gauge} ${of}`).toBe(0), 10_000);
  }
  expect(await witness.leases(), `leases ${of}`).toBe(0);
}

describe('after 10,000 requests that were aborted at random points (F74)', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const random = createRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  let before = new Map<string, number>();

  /** One connection: perhaps a good answer first, then a request that is left. */
  async function abortOne(): Promise<void> {
    const path = pick(SURFACES);
    const stream = random() < 0.7;
    const model = pick(MODELS);
    const directives = pick(SOUND_MODELS.includes(model) ? ANSWERS : [...ANSWERS, BREAKING]);
    const request = writeRequest(KEY, path, { model, stream, directives });
    const good = writeRequest(KEY, path, { model: pick(SOUND_MODELS), stream: true, directives: 'tokens=4' });
    const reads = random() < 0.9;
    const moment = random();
    // So many at once take their time; with short waits only few would get as far as a provider or their first token.
    const waitMs = random() * (random() < 0.5 ? 40 : 400);
    const resets = random() < 0.2;
    const caller = await connectRawCaller(hub.url, { reads });
    // The first of two answers on a connection ends well, unless this one process is too busy for the 250 ms of an admission.
    if (reads && moment < 0.1) {
      caller.send(good);
      const end = path === '/v1/messages' ? 'event: message_stop' : String.raw`\[DONE\]`;
      await caller.until(new RegExp(String.raw`${end}|${STORE_IS_SLOW.source}.*\}$`));
    }
    if (moment > 0.95) {
      caller.send(request.slice(0, Math.floor(random() * request.length)));
    } else caller.send(request);
    await sleep(waitMs);
    if (resets) caller.socket.resetAndDestroy();
    else caller.leave();
    await caller.closed;
  }

  beforeAll(async () => {
    if (hub.redis.kind === 'embedded') return;
    for (let tries = 0; tries < 20; tries++) expect(await ask('Hello')).toBe(200);
    await closeIdleConnections();
    await expectRest(seed);
    before = countResources();

    let left = ABORTS;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await abortOne();
      }),
    );
  }, 120_000);

  it('no socket to a provider is left, and no request, stream or lease', async () => {
    await expectRest(seed);
    const { concurrency, day } = await witness.quota('key:test', 'acme');
    expect({ concurrency, held: day.heldNanoUsd }, `with seed ${seed}`).toEqual({ concurrency: 0, held: 0n });
    const upstream = Map.groupBy(hub.simulator.requests, ({ outcome }) => outcome);
    expect(upstream.get('open')).toBeUndefined();
    // Else the requests were left too early to show anything.
    expect(upstream.get('client_closed')?.length, `with seed ${seed}`).toBeGreaterThan(ABORTS / 50);
  });

  it('each that was granted has exactly one cost event, and together they are what the quota says', async () => {
    const events = await witness.costEvents();
    const outcomes = Map.groupBy(events, ({ outcome }) => outcome);
    expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(events.length);
    expect(await witness.metric('tokenhub_requests_total'), `with seed ${seed}`).toBe(events.length);
    expect(outcomes.get('client_cancelled')?.length, `with seed ${seed}`).toBeGreaterThan(ABORTS / 4);
    expect(outcomes.get('completed')?.length).toBeGreaterThan(0);
    // Midnight may pass, not a month of tests.
    const { month } = await witness.quota('key:test', 'acme');
    const sum = events.reduce((total, { costNanoUsd }) => total + costNanoUsd, 0n);
    expect(month.settledNanoUsd, `with seed ${seed}`).toBe(sum);
    // Who was not even asked cannot have been paid.
    expect(events.filter(({ attempts, costNanoUsd }) => attempts.length === 0 && costNanoUsd > 0n)).toEqual([]);
  });

  it('no timer and no socket is left, and nobody has gathered listeners', async () => {
    await closeIdleConnections();
    // Connections of callers take a moment to close on this side.
    await expect
      .poll(
        () => {
          const more = [...countResources()].filter(([kind, now]) => now > (before.get(kind) ?? 0) + 10);
          return Object.fromEntries(more);
        },
        { timeout: 10_000, message: `with seed ${seed}, more than before: ${JSON.stringify([...before])}` },
      )
      .toEqual({});
    expect(warnings).toEqual([]);
  });

  it('the gateway serves as before', async () => {
    for (const model of MODELS) {
      const messages = [{ role: 'user', content: 'Hello [simulate tokens=4]' }];
      const read = async () => (await hub.post('/v1/chat/completions', { model, stream: true, messages })).text();
      // Five streams that broke in a row make a deployment rest for five seconds.
      await expect.poll(read, { timeout: 15_000 }).toContain('data: [DONE]');
    }
  });
});

describe('callers that are impatient and come again (F77)', () => {
  it('100 of them, three tries each at a limit of ten, leave every counter at 0 and never get past the limit', async () => {
    let mostAtOnce = 0;
    const watch = setInterval(() => (mostAtOnce = Math.max(mostAtOnce, hub.simulator.activeStreams)), 1);
    const statuses = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 100 }, async (_, client) => {
        for (let tries = 0; tries < 3; tries++) {
          const caller = await connectRawCaller(hub.url);
          const path = SURFACES[client % SURFACES.length] ?? '';
          const wish = {
            model: 'gpt-4',
            stream: client % 2 === 0,
            directives: `tokens=20 delay=${20 + (client % 5) * 20}`,
          };
          caller.send(writeRequest(STORM_KEY, path, wish));
          await sleep(100 + (client % 7) * 30);
          const status = caller.text.slice(9, 12);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          caller.leave();
        }
      }),
    );
    clearInterval(watch);
    expect(statuses.get('429')).toBeGreaterThan(0);
    expect(mostAtOnce).toBeGreaterThan(0);
    expect(mostAtOnce).toBeLessThanOrEqual(LIMIT);
    await expectRest(0);
    expect(await witness.quota('key:storm', 'storm')).toMatchObject({ concurrency: 0, day: { heldNanoUsd: 0n } });
    // The whole limit is there again.
    const answers = await Promise.all(
      Array.from({ length: LIMIT }, () =>
        insist(() =>
          hub.post(
            '/v1/chat/completions',
            { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello [simulate delay=200]' }] },
            { headers: { authorization: `Bearer ${STORM_KEY}` } },
          ),
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: LIMIT }, () => 200));
  });
});

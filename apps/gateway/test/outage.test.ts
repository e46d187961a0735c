import { afterEach, describe, expect, it, vi } from 'vitest';
import { toConfigText, toProviders, type ProviderType } from './fault-providers.ts';
import { insist } from './insist.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

/** As in packages/core/src/completion/retry-budget.ts: what a quiet gateway may try again, and the share of a busy one. */
const RESERVE = 20;
const SHARE = 0.2;
const MAX_ATTEMPTS = 3;
/** How long a breaker keeps a deployment from being asked at first. */
const REST_MS = 5_000;

let hub: TestGateway | undefined;
afterEach(() => hub?.close());

/** A gateway of its own for each test, since budget and breakers are the process's: one model at so many providers. */
async function start(types: readonly ProviderType[], directives: readonly string[] = []): Promise<TestGateway> {
  const providers = types.map((type, index) => ({ id: `${index}-${type}`, type, directives: directives[index] }));
  const models = [{ id: 'm', providers: providers.map(({ id }) => id) }];
  hub = await startTestGateway({ config: toConfigText(toProviders(providers), models) });
  return hub;
}

interface Answered {
  readonly status: number;
  readonly attempts: number;
  readonly retryAfter: string | null;
  readonly reason: string | undefined;
}

async function ask(gateway: TestGateway): Promise<Answered> {
  const messages = [{ role: 'user', content: 'Hello [simulate tokens=3]' }];
  const response = await insist(() => gateway.post('/v1/chat/completions', { model: 'm', messages }));
  const body = (await response.json()) as { error?: { reason: string } };
  return {
    status: response.status,
    attempts: Number(response.headers.get('x-tokenhub-attempts')),
    retryAfter: response.headers.get('retry-after'),
    reason: body.error?.reason,
  };
}

async function inTurn(times: number, run: () => Promise<Answered>): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (let time = 0; time < times; time++) answers.push(await run());
  return answers;
}

/** Upstream calls per request, once what the reserve allows is taken off. */
function amplification(calls: number, offered: number): number {
  return (calls - RESERVE) / offered;
}

const PROVIDERS = ['/openai', '/anthropic', '/vllm'];

describe('F64: all deployments of a model failing', () => {
  it('costs few calls, is said quickly, and is over soon after they are well again', async () => {
    const gateway = await start(['openai', 'anthropic', 'vllm']);
    const { simulator } = gateway;
    for (const provider of PROVIDERS) simulator.impose(provider, 'status=503');

    const answers = await inTurn(60, () => ask(gateway));
    // On a busy machine sixty may take longer than the first rest, and after that one of them is a probe.
    const [first] = simulator.requests;
    const restsUntil = (first?.receivedAtMs ?? 0) + REST_MS;
    const calls = simulator.requests.filter(({ receivedAtMs }) => receivedAtMs < restsUntil).length;
    expect(answers.filter(({ status }) => status === 200)).toEqual([]);
    expect(Math.max(...answers.map(({ attempts }) => attempts))).toBeLessThanOrEqual(MAX_ATTEMPTS);
    // Five failures open each breaker, and from then on nobody is asked.
    expect(calls).toBeLessThanOrEqual(3 * 5);
    const refused = answers.filter(({ attempts }) => attempts === 0);
    expect(refused.length).toBeGreaterThanOrEqual(answers.length / 2);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 503, reason: 'no_upstream' });
      expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    }

    for (const provider of PROVIDERS) simulator.impose(provider, undefined);
    const healedAt = simulator.requests.length;
    await vi.waitFor(async () => expect(await ask(gateway)).toMatchObject({ status: 200 }), {
      timeout: 15_000,
      interval: 100,
    });
    // The first to ask after the rest is the probe, and its answer is the caller's.
    expect(simulator.requests.length - healedAt).toBeLessThanOrEqual(3);
    expect(await ask(gateway)).toMatchObject({ status: 200, attempts: 1 });
  });

  it('costs requests that are under way at its beginning one try at each deployment, and nobody anything after that', async () => {
    const gateway = await start(['openai', 'anthropic', 'vllm']);
    const { simulator } = gateway;
    // All are under way before the first breaker opens, and no deployment is known to fail.
    for (const provider of PROVIDERS) simulator.impose(provider, 'status=503,delay=200');
    const atOnce = 100;
    const answers = await Promise.all(Array.from({ length: atOnce }, () => ask(gateway)));
    expect(answers.filter(({ status }) => status !== 502 && status !== 503)).toEqual([]);
    expect(simulator.requests.length).toBeLessThanOrEqual(atOnce * MAX_ATTEMPTS);

    const later = 300;
    await inTurn(later, () => ask(gateway));
    expect(simulator.requests.length / (atOnce + later)).toBeLessThanOrEqual(1 + SHARE);
  });
});

describe('F65: a deployment of which every second answer is 503', () => {
  it('is hidden by its sibling', async () => {
    const gateway = await start(['openai', 'anthropic']);
    gateway.simulator.impose('/openai', 'every=2,status=503');
    const offered = 100;
    const answers = await inTurn(offered, () => ask(gateway));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const calls = gateway.simulator.requests.length;
    expect(calls / offered).toBeLessThanOrEqual(1 + SHARE);
  });

  it('and is alone, is tried again within the budget, and goes on serving the others', async () => {
    const gateway = await start(['openai']);
    gateway.simulator.impose('/openai', 'every=2,status=503');
    const offered = 60;
    const answers = await inTurn(offered, () => ask(gateway));
    const calls = gateway.simulator.requests.length;
    const served = answers.filter(({ status }) => status === 200).length;
    expect(amplification(calls, offered)).toBeLessThanOrEqual(1 + SHARE);
    // Half of all calls, since no failures in a row open the breaker.
    expect(served).toBeGreaterThanOrEqual(Math.floor(calls / 2) - 1);
    expect(answers.filter(({ status }) => status === 503)).toEqual([]);
  });
});

describe('G19: a deployment that fails under many requests at once', () => {
  it('fails none of them as long as a sibling is well', async () => {
    // All sixty wait for the first, and then for the second: more than the reserve of tries.
    const gateway = await start(['openai', 'openai'], ['status=503,delay=1000', 'delay=1000']);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(gateway)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(gateway.simulator.requests.length).toBeGreaterThan(60 + RESERVE);
  });
});

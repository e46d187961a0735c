import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROVIDER_TYPES, requestsAt, toConfigText, toProviders, type ProviderType } from './fault-providers.ts';
import { insist } from './insist.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

/** What a provider says in `Retry-After`, at a deployment of its own. */
interface Case {
  readonly retryAfter: string;
  readonly type: ProviderType;
  /** Of the model and of the provider that is limited. */
  readonly id: string;
  readonly directives: string;
}

function cases(group: string, retryAfters: readonly string[], more = ''): readonly Case[] {
  return retryAfters.flatMap((retryAfter, index) =>
    PROVIDER_TYPES.map((type): Case => {
      const directives = `status=429,retry-after=${retryAfter}${more}`;
      return { retryAfter, type, id: `${group}-${index}-${type}`, directives };
    }),
  );
}

/** Dates are two seconds ahead; `date-60` is a minute ago. */
const short = cases('short', ['1', 'date'], ',times=1');
const past = cases('past', ['0', 'date-60'], ',times=1');
const long = cases('long', ['120', 'date+120', '999999999']);
const senseless = cases('senseless', ['soon', 'NaN', '-5', '1e3', '99999999999', '120s']);
const endless = cases('endless', ['1']);
const patient = cases('patient', ['5']);
const shortWithSibling = cases('short-with-sibling', ['1', '5']);
const longWithSibling = cases('long-with-sibling', ['120', 'date+120']);

const alone = [...short, ...past, ...long, ...senseless, ...endless, ...patient];
const withSibling = [...shortWithSibling, ...longWithSibling];

const CONFIG = toConfigText(toProviders([...alone, ...withSibling, { id: 'whole', type: 'openai' }]), [
  ...alone.map(({ id }) => ({ id, providers: [id] })),
  ...withSibling.map(({ id }) => ({ id, providers: [id, 'whole'] })),
]);

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

const messages = [{ role: 'user', content: 'Hello [simulate tokens=3]' }];
const ask = (model: string, stream = true): Promise<Response> =>
  insist(() => hub.post('/v1/chat/completions', { model, messages, stream }));

interface Explained {
  readonly ranked: readonly { readonly provider: string; readonly health: { readonly failures: number } }[];
  readonly excluded: readonly {
    readonly model: string;
    readonly provider: string;
    readonly reason: string;
    readonly retry_in_ms: number;
    readonly health: { readonly failures: number };
  }[];
}

async function explain(model: string): Promise<Explained> {
  const explained = (await (await hub.post('/v1/route/explain', { model, messages })).json()) as Explained;
  return { ...explained, excluded: explained.excluded.filter((one) => one.model === model) };
}

/** Between the first two requests that a provider got, in milliseconds. */
function waitedMs(id: string): number {
  const [first, second] = requestsAt(hub.simulator, id);
  return (second?.receivedAtMs ?? Number.NaN) - (first?.receivedAtMs ?? Number.NaN);
}

describe('F52: a 429 of a deployment that is alone', () => {
  it.concurrent.each(short)('with Retry-After $retryAfter is waited for ($type)', async ({ id }) => {
    const response = await ask(id);
    expect(await response.text()).toContain('data: [DONE]');
    expect(response.headers.get('x-tokenhub-provider')).toBe(id);
    expect(response.headers.get('x-tokenhub-reason')).toBe('retried-transient');
    expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
    // Timers may fire a little early, and dates are whole seconds.
    expect(waitedMs(id)).toBeGreaterThan(950);
    const { ranked, excluded } = await explain(id);
    expect(excluded).toEqual([]);
    expect(ranked).toMatchObject([{ health: { failures: 0 } }]);
  });

  it.concurrent.each(past)('with Retry-After $retryAfter is asked again after a breath ($type)', async ({ id }) => {
    const response = await ask(id);
    expect(await response.text()).toContain('data: [DONE]');
    expect(response.headers.get('x-tokenhub-reason')).toBe('retried-transient');
    expect(waitedMs(id)).toBeGreaterThan(40);
  });

  it.concurrent.each(long)('with Retry-After $retryAfter is left alone for that time ($type)', async ({ id }) => {
    const first = await ask(id);
    expect(first.status).toBe(429);
    expect(first.headers.get('x-tokenhub-attempts')).toBe('1');
    // Callers are told a minute at most: by then somebody else may serve.
    expect(first.headers.get('retry-after')).toBe('60');
    expect(await first.json()).toMatchObject({ error: { reason: 'upstream_rate_limited' } });

    const { ranked, excluded } = await explain(id);
    expect(ranked).toEqual([]);
    expect(excluded).toMatchObject([{ reason: 'cooling_down', health: { failures: 0 } }]);
    const leftMs = excluded[0]?.retry_in_ms ?? 0;
    expect(leftMs).toBeGreaterThan(110_000);
    expect(leftMs).toBeLessThanOrEqual(300_000);

    const second = await ask(id);
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('60');
    expect(await second.json()).toMatchObject({ error: { reason: 'upstream_rate_limited' } });
    expect(requestsAt(hub.simulator, id)).toHaveLength(1);
  });

  it.concurrent.each(senseless)('with Retry-After $retryAfter goes to the caller at once ($type)', async ({ id }) => {
    for (const times of [1, 2]) {
      const response = await ask(id);
      expect(response.status).toBe(429);
      expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
      expect(requestsAt(hub.simulator, id)).toHaveLength(times);
      expect(await response.json()).toMatchObject({ error: { reason: 'upstream_rate_limited' } });
      // It asked for nothing that could be granted, so it may be asked again.
      expect((await explain(id)).excluded).toEqual([]);
    }
  });

  it.concurrent.each(endless)('that never ends is waited for no longer than three attempts ($type)', async ({ id }) => {
    const response = await ask(id);
    expect(response.status).toBe(429);
    expect(response.headers.get('x-tokenhub-attempts')).toBe('3');
    await response.text();
    expect(requestsAt(hub.simulator, id)).toHaveLength(3);
  });

  it.concurrent.each(patient)('is not waited for beyond the time that the caller gives ($type)', async ({ id }) => {
    const request = { model_hint: id, messages, stream: true };
    const response = await insist(() => hub.post('/v1/chat', { request, policy: { max_latency_ms: 4_000 } }));
    expect(response.status).toBe(429);
    expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
    await response.text();
  });
});

describe('F52: a 429 of one of two deployments', () => {
  it.concurrent.each(shortWithSibling)('with Retry-After $retryAfter is not waited for ($type)', async ({ id }) => {
    const response = await ask(id, false);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-tokenhub-provider')).toBe('whole');
    expect(response.headers.get('x-tokenhub-reason')).toBe('failover-weight-5');
    expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
    await response.text();
    expect(requestsAt(hub.simulator, id)).toHaveLength(1);
  });

  it.concurrent.each(longWithSibling)(
    'with Retry-After $retryAfter is passed over until then ($type)',
    async ({ id }) => {
      expect((await ask(id)).headers.get('x-tokenhub-attempts')).toBe('2');
      const { ranked, excluded } = await explain(id);
      expect(ranked).toMatchObject([{ provider: 'whole' }]);
      expect(excluded).toMatchObject([{ provider: id, reason: 'cooling_down' }]);

      const next = await ask(id);
      expect(next.headers.get('x-tokenhub-provider')).toBe('whole');
      expect(next.headers.get('x-tokenhub-attempts')).toBe('1');
      await next.text();
      expect(requestsAt(hub.simulator, id)).toHaveLength(1);
    },
  );
});

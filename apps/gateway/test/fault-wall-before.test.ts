import { simulatedTokens } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCostEvents, type CostEvents } from './cost-events.ts';
import {
  PROVIDER_TYPES,
  requestsAt,
  startBadAddresses,
  toConfigText,
  toProviders,
  type BadAddresses,
  type ProviderEntry,
  type ProviderType,
} from './fault-providers.ts';
import { EARLY_FAULTS, type EarlyFault } from './faults.ts';
import { insist } from './insist.ts';
import { accumulate, parseStream, type OpenaiChunk } from './sse-client.ts';
import { readTestConfig, startTestGateway, type TestGateway } from './test-gateway.ts';

/** A fault of a provider type, as a caller of a surface meets it. Each has a deployment of its own, since failures are remembered. */
interface Cell {
  readonly fault: EarlyFault;
  readonly type: ProviderType;
  readonly stream: boolean;
  readonly surface: Surface;
  /** Of the model and of its faulty provider. */
  readonly id: string;
}

const SURFACES = ['openai', 'anthropic'] as const;
type Surface = (typeof SURFACES)[number];

const PATHS: Readonly<Record<Surface, string>> = { openai: '/v1/chat/completions', anthropic: '/v1/messages' };

/** Who serves after a provider of this type: each type is a failing one's successor once, and its own for two. */
const NEXT: Readonly<Record<ProviderType, string>> = {
  openai: 'whole-anthropic',
  anthropic: 'whole-vllm',
  vllm: 'whole-openai',
};

const TOKENS = 12;
const ANSWER = simulatedTokens(TOKENS, 1).join('');

const rows = EARLY_FAULTS.flatMap((fault, index) =>
  PROVIDER_TYPES.flatMap((type) =>
    [true, false]
      .filter((stream) => fault.only === undefined || stream === (fault.only === 'streamed'))
      .map((stream) => {
        const mode = stream ? 'streamed' : 'whole';
        const cells = SURFACES.map((surface): Cell => {
          return { fault, type, stream, surface, id: `cell-${index}-${type}-${mode}-${surface}` };
        });
        return { row: fault.row, name: fault.name, type, mode, cells };
      }),
  ),
);

/** What the caller did wrong, at a deployment of its own for each way to ask: one that has served is ranked behind one that has not. */
const callersFaults = PROVIDER_TYPES.flatMap((type) =>
  [true, false].flatMap((stream) =>
    SURFACES.map((surface) => {
      const mode = stream ? 'streamed' : 'whole';
      return { type, mode, surface, stream, id: `fault-of-caller-${type}-${mode}-${surface}` };
    }),
  ),
);
const SMALL = 'small';

function writeConfig(bad: BadAddresses): string {
  const cells = rows.flatMap((row) => row.cells);
  const faulty = cells.map(({ id, type, fault }): ProviderEntry => {
    const { directives, timeouts } = fault;
    return { id, type, directives, timeouts, origin: fault.at && bad[fault.at] };
  });
  const whole = PROVIDER_TYPES.map((type): ProviderEntry => ({ id: `whole-${type}`, type }));
  const small = PROVIDER_TYPES.map((type): ProviderEntry => {
    return { id: `${SMALL}-${type}`, type, directives: 'fault=context-length' };
  });
  return toConfigText(
    toProviders([...faulty, ...callersFaults.map(({ id, type }) => ({ id, type })), ...small, ...whole]),
    [
      ...[...cells, ...callersFaults].map(({ id, type }) => ({ id, providers: [id, NEXT[type]] })),
      // Another deployment of the same model would be of no use, and is not asked.
      ...small.map(({ id, type }) => ({ id, providers: [id, NEXT[type]], context_window: 8_192 })),
      // Dearer than the small ones, so that it comes after them for a caller who names nobody.
      { id: 'large', providers: ['whole-openai'], context_window: 200_000, price: { input: '1', output: '1' } },
    ],
    { routing: { auto_models: [`${SMALL}-openai`, 'large'] } },
  );
}

let bad: BadAddresses;
let hub: TestGateway;
let costs: CostEvents;
beforeAll(async () => {
  const nobody = toConfigText(toProviders([{ id: 'none', type: 'openai' }]), [{ id: 'none', providers: ['none'] }]);
  hub = await startTestGateway({ config: nobody, simulator: { logSize: 10_000 } });
  // Some of the bad addresses are those of the simulator, so they are known only now.
  bad = await startBadAddresses(hub.simulator);
  hub.gateway.reload(readTestConfig(writeConfig(bad), hub.simulator.url));
  costs = readCostEvents(hub);
});
afterAll(async () => {
  costs.close();
  await bad.close();
  await hub.close();
});

function ask(surface: Surface, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const messages = [{ role: 'user', content: `Hello [simulate tokens=${TOKENS}]` }];
  return insist(() => hub.post(PATHS[surface], { max_tokens: 1_000, messages, ...body }, { headers }));
}

const ANSWERS_WHOLE: Readonly<Record<Surface, object>> = {
  openai: { object: 'chat.completion', choices: [{ message: { content: ANSWER }, finish_reason: 'stop' }] },
  anthropic: { type: 'message', content: [{ type: 'text', text: ANSWER }], stop_reason: 'end_turn' },
};

interface AnthropicEvent {
  readonly type: string;
  readonly delta?: { readonly text?: string };
}

/** One whole answer, and nothing of another. */
function expectWholeAnswer(text: string, surface: Surface, stream: boolean): void {
  if (!stream) {
    expect(JSON.parse(text)).toMatchObject(ANSWERS_WHOLE[surface]);
    return;
  }
  expect(text).not.toContain('error');
  const { data, cost } = parseStream(text);
  if (surface === 'openai') {
    expect(data.filter((item) => item === '[DONE]')).toHaveLength(1);
    expect(data.at(-1)).toBe('[DONE]');
    const chunks = data.slice(0, -1).map((item) => JSON.parse(item) as OpenaiChunk);
    expect(accumulate(chunks)).toMatchObject({ text: ANSWER, finishReason: 'stop' });
    expect(cost).not.toHaveProperty('partial');
    return;
  }
  const events = data.map((item) => JSON.parse(item) as AnthropicEvent);
  const types = events.map(({ type }) => type);
  for (const once of ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop']) {
    expect(types.filter((type) => type === once)).toHaveLength(1);
  }
  expect(types.at(-1)).toBe('message_stop');
  expect(events.map(({ delta }) => delta?.text ?? '').join('')).toBe(ANSWER);
}

/** Nothing of what failed is left open at the provider. */
async function expectClosed(id: string): Promise<void> {
  const open = (): unknown[] => requestsAt(hub.simulator, id).filter(({ outcome }) => outcome === 'open');
  await vi.waitFor(() => expect(open()).toHaveLength(0), { timeout: 5_000, interval: 10 });
}

async function expectServedByNext({ id, type, stream, surface, fault }: Cell): Promise<void> {
  const response = await ask(surface, { model: id, stream });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: 200 });
  expect(response.headers.get('x-tokenhub-provider')).toBe(NEXT[type]);
  expect(response.headers.get('x-tokenhub-model')).toBe(id);
  expect(response.headers.get('x-tokenhub-reason')).toBe('failover-weight-5');
  expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
  expectWholeAnswer(text, surface, stream);
  await expectClosed(id);

  const { outcome, attempts } = await costs.of(response);
  expect(outcome).toBe('completed');
  expect(attempts).toMatchObject([{ provider: id }, { provider: NEXT[type], outcome: 'served' }]);
  expect([fault.code].flat()).toContain(attempts[0]?.outcome);
}

describe('a fault before the first content is nothing that a caller hears of', () => {
  it.concurrent.each(rows)('$row: $name, $type, $mode', async ({ cells }) => {
    await Promise.all(cells.map(expectServedByNext));
  });

  it('and no connection is left at addresses that swallow what they are sent (F44, F45)', async () => {
    await expect.poll(() => bad.openConnections(), { timeout: 5_000 }).toBe(0);
  });
});

describe('what is wrong with the request itself', () => {
  it.each(callersFaults)(
    'F54: a 400 goes to the caller, six times, and blames nobody ($type, $mode, $surface)',
    async ({ id, stream, surface }) => {
      const messages = [{ role: 'user', content: '[simulate status=400]' }];
      const before = hub.simulator.requests.length;
      for (let tries = 0; tries < 6; tries++) {
        const response = await ask(surface, { model: id, stream, messages });
        const { error } = (await response.json()) as { error: object };
        expect(response.status).toBe(400);
        expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
        expect(error).toMatchObject({ type: 'invalid_request_error' });
        if (surface === 'openai') expect(error).toMatchObject({ reason: 'upstream_rejected' });
      }
      expect(hub.simulator.requests).toHaveLength(before + 6);
      const response = await ask(surface, { model: id, stream });
      expectWholeAnswer(await response.text(), surface, stream);
      expect(response.headers.get('x-tokenhub-provider')).toBe(id);
      expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
    },
  );

  it.each(callersFaults)(
    'F54: a context that is too long goes to a larger model where that is allowed ($type, $mode, $surface)',
    async ({ type, stream, surface }) => {
      const model = `${SMALL}-${type}`;
      const refused = await ask(surface, { model, stream });
      expect(refused.status).toBe(400);
      expect(refused.headers.get('x-tokenhub-attempts')).toBe('1');
      await refused.text();

      const response = await ask(surface, { model, stream }, { 'x-tokenhub-allow-fallback': 'true' });
      expectWholeAnswer(await response.text(), surface, stream);
      expect(response.headers.get('x-tokenhub-model')).toBe('large');
      expect(response.headers.get('x-tokenhub-reason')).toBe('escalated-context-overflow');
      expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
    },
  );

  it.each([true, false])(
    'F54: a caller who names no model gets the larger one by itself (stream: %s)',
    async (stream) => {
      const request = { messages: [{ role: 'user', content: `Hello [simulate tokens=${TOKENS}]` }], stream };
      const response = await insist(() => hub.post('/v1/chat', { request }));
      const text = await response.text();
      expect(response.headers.get('x-tokenhub-model')).toBe('large');
      expect(response.headers.get('x-tokenhub-reason')).toBe('escalated-context-overflow');
      if (stream) expectWholeAnswer(text, 'openai', stream);
    },
  );
});

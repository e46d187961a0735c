import Anthropic from '@anthropic-ai/sdk';
import { ERRORS } from '@tokenhub/core';
import { simulatedTokens, startChaosProxy, startSimulator, type ChaosProxy, type Simulator } from '@tokenhub/simulator';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readCostEvents, type CostEvents } from './cost-events.ts';
import { PROVIDER_TYPES, requestsAt, toConfigText, toProviders, type ProviderType } from './fault-providers.ts';
import { LATE_FAULTS, LATE_TOKENS, type LateFault } from './faults.ts';
import { insist, insistentFetch } from './insist.ts';
import { parseStream } from './sse-client.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

/** Who reads: an official package on its own surface, or nobody's package on the envelope's, which has the provider's own events. */
const READERS = ['openai', 'anthropic', 'envelope'] as const;
type Reader = (typeof READERS)[number];

/** A fault of a provider type, as a reader meets it, at a deployment of its own. */
interface Cell {
  readonly row: string;
  readonly name: string;
  readonly fault: LateFault;
  readonly type: ProviderType;
  readonly reader: Reader;
  /** Of the model and its provider. */
  readonly id: string;
}

const cells = LATE_FAULTS.flatMap((fault, index) =>
  PROVIDER_TYPES.flatMap((type) =>
    READERS.map((reader): Cell => {
      return { row: fault.row, name: fault.name, fault, type, reader, id: `cell-${index}-${type}-${reader}` };
    }),
  ),
);

/** What lacks one of the two signs of a whole answer. */
const enough = ['done-without-finish', 'finish-without-done'].flatMap((fault) =>
  PROVIDER_TYPES.flatMap((type) =>
    (['openai', 'anthropic'] as const).map((reader) => ({ fault, type, reader, id: `${fault}-${type}` })),
  ),
);

/** Broken off with a sibling that is well, and that must not go on with what the other began. */
const siblings = PROVIDER_TYPES.flatMap((type) =>
  READERS.map((reader) => ({ type, reader, id: `broken-off-${type}-${reader}` })),
);

function writeConfig(networkUrl: string): string {
  const allEnough = [...new Map(enough.map((one) => [one.id, one])).values()];
  const price = { input: '1', output: '2' };
  return toConfigText(
    toProviders([
      ...cells.map(({ id, type, fault: { directives, timeouts } }) => ({ id, type, directives, timeouts })),
      ...allEnough.map(({ id, type, fault }) => ({ id, type, directives: `tokens=${LATE_TOKENS},fault=${fault}` })),
      ...siblings.map(({ id, type }) => ({ id, type, directives: 'tokens=12,pace=5,fault=disconnect' })),
      { id: 'whole', type: 'openai' },
      { id: 'far', type: 'openai', origin: networkUrl, directives: 'tokens=1000,pace=5', timeouts: { idle_ms: 300 } },
    ]),
    [
      ...[...cells, ...allEnough].map(({ id }) => ({ id, providers: [id], price })),
      ...siblings.map(({ id }) => ({ id, providers: [id, 'whole'], price })),
      { id: 'far', providers: ['far'], price },
    ],
  );
}

/** What comes of the answer when nothing is cut off. */
const ANSWER = simulatedTokens(LATE_TOKENS, 1).join('');
const LONG_ANSWER = simulatedTokens(100, 1).join('');
const THREE_TOKENS = simulatedTokens(3, 1).join('');

let hub: TestGateway;
/** A provider and the network between it and the gateway. */
let far: Simulator;
let network: ChaosProxy;
let costs: CostEvents;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  far = await startSimulator();
  network = await startChaosProxy({ target: far });
  hub = await startTestGateway({ config: writeConfig(network.url), simulator: { logSize: 10_000 } });
  costs = readCostEvents(hub);
  openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0, fetch: insistentFetch });
  anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0, fetch: insistentFetch });
});
afterAll(async () => {
  costs.close();
  await hub.close();
  await network.close();
  await far.close();
});

interface Reading {
  readonly text: string;
  /** What the package threw. */
  readonly error: unknown;
}

const messages = [{ role: 'user' as const, content: 'Hello' }];

const PACKAGES: Readonly<
  Record<'openai' | 'anthropic', (model: string, add: (text: string) => void) => Promise<void>>
> = {
  async openai(model, add) {
    const stream = await openai.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) add(chunk.choices[0]?.delta.content ?? '');
  },
  async anthropic(model, add) {
    const stream = anthropic.messages.stream({ model, messages, max_tokens: 1_000 });
    stream.on('text', add);
    await stream.finalMessage();
  },
};

/** Reads with the official package, as a stranger would. */
async function read(reader: 'openai' | 'anthropic', model: string): Promise<Reading> {
  let text = '';
  try {
    await PACKAGES[reader](model, (delta) => (text += delta));
    return { text, error: undefined };
  } catch (error) {
    return { text, error };
  }
}

/** The same without a package. The body's end is checked by `text()`: it throws when the last chunk is missing. */
async function readRaw(reader: Reader, model: string): Promise<{ response: Response; text: string }> {
  const send = {
    openai: () => hub.post('/v1/chat/completions', { model, messages, stream: true }),
    anthropic: () => hub.post('/v1/messages', { model, messages, stream: true, max_tokens: 1_000 }),
    envelope: () => hub.post('/v1/chat', { request: { model_hint: model, messages, stream: true } }),
  }[reader];
  const response = await insist(send);
  return { response, text: await response.text() };
}

function expectTextBefore({ fault: { before } }: Cell, text: string): void {
  if (before === 'all') expect(text).toBe(ANSWER);
  else if (before === undefined) expect(text).toBe(THREE_TOKENS);
  else {
    expect(text).not.toBe('');
    expect(LONG_ANSWER.startsWith(text)).toBe(true);
  }
}

const THROWN = { openai: OpenAI.APIError, anthropic: Anthropic.APIError };

interface StreamError {
  readonly error: { readonly reason?: string };
}

/** The last event of a stream, by the dialect of its surface; everywhere it names the request. */
function expectErrorEvent(reader: Reader, text: string, requestId: string | null): string {
  const { data } = parseStream(text);
  const errors = data.filter((item) => 'error' in (JSON.parse(item) as object));
  expect(errors).toHaveLength(1);
  const [last] = errors;
  expect(data.at(-1)).toBe(last);
  const event = JSON.parse(last ?? '') as StreamError;
  if (reader === 'anthropic') {
    expect(text).toContain(`event: error\ndata: ${last}\n\n`);
    expect(event).toEqual({
      type: 'error',
      error: { type: expect.stringMatching(/^(api|timeout|overloaded)_error$/), message: expect.any(String) },
      request_id: requestId,
    });
  } else {
    expect(event).toEqual({
      error: {
        message: expect.any(String),
        type: 'upstream_error',
        code: expect.any(Number),
        reason: expect.any(String),
        request_id: requestId,
      },
      choices: [{ delta: {}, finish_reason: 'error' }],
    });
  }
  return last ?? '';
}

async function failuresOf(model: string): Promise<number | undefined> {
  const response = await hub.post('/v1/route/explain', { model, messages });
  const { ranked } = (await response.json()) as { ranked: { health: { failures: number } }[] };
  return ranked[0]?.health.failures;
}

describe('a fault after the first content is said explicitly', () => {
  it.concurrent.each(cells)('$row: $name, $type, read by $reader', async (cell) => {
    const { id, reader, fault } = cell;
    const [reading, { response, text }] = await Promise.all([
      reader === 'envelope' ? undefined : read(reader, id),
      readRaw(reader, id),
    ]);
    if (reading !== undefined && reader !== 'envelope') {
      expectTextBefore(cell, reading.text);
      expect(reading.error).toBeInstanceOf(THROWN[reader]);
      // Thrown because of what we said, not because of what was missing.
      expect(JSON.stringify(reading.error)).toContain('"request_id":"req_');
    }
    const requests = reading === undefined ? 1 : 2;

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
    expect(text).not.toMatch(/\[DONE\]|message_stop/);
    // Nor any of the provider's own words.
    expect(text).not.toMatch(/Sorry about that|EngineCore|Overloaded/);
    const last = expectErrorEvent(reader, text, response.headers.get('x-request-id'));

    const codes = [fault.code].flat();
    const event = await costs.of(response);
    expect(codes).toContain(event.errorReason);
    expect(event).toMatchObject({
      outcome: event.errorReason === 'upstream_timeout' ? 'timeout' : 'upstream_error',
      estimated: true,
      attempts: [{ provider: id }],
    });
    expect(event.counts.completionTokens).toBeGreaterThan(0);
    expect(event.counts.completionTokens).toBeLessThanOrEqual(LATE_TOKENS);

    const { comments, cost } = parseStream(text);
    if (reader === 'anthropic') {
      expect(comments.filter((comment) => comment.startsWith('{'))).toEqual([]);
    } else {
      const reason = event.errorReason as keyof typeof ERRORS;
      expect(JSON.parse(last)).toMatchObject({ error: { reason, code: ERRORS[reason].status } });
      expect(cost).toMatchObject({ partial: true, estimated: true });
      expect(cost?.completion_tokens).toBe(event.counts.completionTokens);
      expect(text.trimEnd().split('\n').at(-1)).toMatch(/^: \{"cost"/);
    }

    expect(await failuresOf(id)).toBe(fault.blameless === true ? 0 : requests);
    const open = (): unknown[] => requestsAt(hub.simulator, id).filter(({ outcome }) => outcome === 'open');
    await vi.waitFor(() => expect(open()).toHaveLength(0), { timeout: 5_000, interval: 10 });
    // Nobody is asked again behind the caller's back.
    expect(requestsAt(hub.simulator, id)).toHaveLength(requests);
  });
});

it.concurrent.each(siblings)(
  'F48: nobody goes on with what another has begun ($type, read by $reader)',
  async ({ id, reader }) => {
    const { response, text } = await readRaw(reader, id);
    expect(response.headers.get('x-tokenhub-provider')).toBe(id);
    expectErrorEvent(reader, text, response.headers.get('x-request-id'));
    expect(await costs.of(response)).toMatchObject({ outcome: 'upstream_error', attempts: [{ provider: id }] });
    expect(requestsAt(hub.simulator, id)).toHaveLength(1);
    expect(requestsAt(hub.simulator, 'whole')).toHaveLength(0);
  },
);

it('F47: a network that goes away in the middle is a silence like any other', async () => {
  const stream = await openai.chat.completions.create({ model: 'far', messages, stream: true });
  let text = '';
  const reading = (async () => {
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      // As when a cable is pulled: no byte comes any more, and no end either.
      if (text.length > 20) network.set({ halfOpen: true, down: { bytesPerSecond: 0 } });
    }
  })();
  await expect(reading).rejects.toThrow(/fell silent/);
  expect(LONG_ANSWER.startsWith(text.slice(0, 20))).toBe(true);
  network.set({});
  await expect.poll(() => far.activeStreams, { timeout: 5_000 }).toBe(0);
});

describe('one of the two signs of an end is enough', () => {
  it.concurrent.each(enough)('F50: $fault, $type, read by $reader', async ({ id, reader }) => {
    expect(await read(reader, id)).toEqual({ text: ANSWER, error: undefined });

    const { response, text } = await readRaw(reader, id);
    const { data, cost } = parseStream(text);
    expect(text).not.toContain('error');
    expect(text.match(reader === 'openai' ? /\[DONE\]/g : /event: message_stop/g)).toHaveLength(1);
    expect(data.at(-1)).toMatch(reader === 'openai' ? /^\[DONE\]$/ : /"message_stop"/);
    expect(cost?.partial).toBeUndefined();
    expect(await costs.of(response)).toMatchObject({ outcome: 'completed', attempts: [{ outcome: 'served' }] });
    expect(await failuresOf(id)).toBe(0);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { CostEvent } from '@tokenhub/metering';
import { startChaosProxy, type ChaosProxy, type ChaosRules } from '@tokenhub/simulator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRawCaller, type RawCaller } from '../apps/gateway/test/raw-caller.ts';
import { hasNginx, startNginx } from '../apps/gateway/test/start-nginx.ts';
import { createWitness, type Witness } from '../apps/gateway/test/witness.ts';
import { ask, rawRequest } from './ask.ts';
import { prepareProcesses, type Processes } from './start-processes.ts';

/** 13 MB, more than the sockets on the way hold, as fast as the gateway takes it. */
const MUCH = 'tokens=60000 pace=1 burst=400';
const READERS = 10;
const SENDERS = 20;

const withNginx = await hasNginx();

let processes: Processes;
let witness: Witness;
/** What is to be done when the tests are over, the last first. */
const endings: (() => unknown)[] = [];
/** They take a minute by the clock, so that all begin before the first test and go on side by side. */
let waits: Awaited<ReturnType<typeof beginWaits>>;
beforeAll(async () => {
  processes = await prepareProcesses();
  endings.push(() => processes.stop());
  witness = createWitness({ url: processes.gateway.url, redis: { url: processes.redisUrl } });
  endings.push(() => witness.close());
  waits = await beginWaits();
});
afterAll(async () => {
  for (const end of endings.toReversed()) await end();
});

async function beginWaits() {
  // The simulator writes so much only once.
  const first = await askMuch(processes.gateway.url);
  await first.caller.until(/ulat/);
  first.caller.leave();

  const { url } = processes.gateway;
  const request = rawRequest('Hello');
  const headersEnd = request.indexOf('\r\n\r\n') + 4;
  return {
    neverRead: await Promise.all(Array.from({ length: READERS }, () => askMuch(url, { reads: false }))),
    vanished: await vanish(),
    slowReader: await askMuch((await proxyToGateway({ down: { bytesPerSecond: 60_000 } })).url),
    silent: withNginx ? readSilentStream() : undefined,
    slowHeaders: sendSlowly('', request),
    slowBodies: sendSlowly(request.slice(0, headersEnd), request.slice(headersEnd)),
    others: goOnAsking(),
  };
}

interface Run {
  readonly id: string;
  readonly caller: RawCaller;
  readonly startedAt: number;
}

let runs = 100;
async function askMuch(url: string, { reads = true } = {}): Promise<Run> {
  const id = `run-${++runs}`;
  const caller = await connectRawCaller(url, { reads });
  endings.push(() => caller.leave());
  caller.send(rawRequest(`${id} [simulate ${MUCH}]`, { id }));
  return { id, caller, startedAt: performance.now() };
}

async function proxyToGateway(rules: ChaosRules): Promise<ChaosProxy> {
  const proxy = await startChaosProxy({ target: { port: Number(new URL(processes.gateway.url).port) }, rules });
  endings.push(() => proxy.close());
  return proxy;
}

/** In the middle of its stream, and no packet says so. */
async function vanish(): Promise<Run> {
  const proxy = await proxyToGateway({});
  const run = await askMuch(proxy.url);
  await run.caller.until(/ulat/);
  proxy.set({ halfOpen: true, down: { bytesPerSecond: 0 } });
  run.caller.leave();
  return run;
}

/** What came first through an nginx of a stream that says nothing for longer than a heartbeat, and all of it. */
async function readSilentStream(): Promise<{ first: string; text: string }> {
  const nginx = await startNginx(processes.gateway.url);
  endings.push(() => nginx.stop());
  const response = await ask(nginx, 'Hello [simulate tokens=4 delay=22000]');
  const pieces = await Array.fromAsync(response.body?.pipeThrough(new TextDecoderStream()) ?? []);
  return { first: pieces[0] ?? '', text: pieces.join('') };
}

/** Callers who send the second text by a byte in each second; resolves when the gateway has had enough of all of them. */
function sendSlowly(atOnce: string, slowly: string): Promise<{ afterMs: number; text: string }[]> {
  const send = async () => {
    const startedAt = performance.now();
    const caller = await connectRawCaller(processes.gateway.url);
    if (atOnce !== '') caller.send(atOnce);
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < slowly.length && !caller.ended) caller.send(slowly[sent++] ?? '');
    }, 1_000);
    await Promise.race([caller.closed, sleep(60_000, undefined, { ref: false })]);
    clearInterval(timer);
    const afterMs = performance.now() - startedAt;
    caller.leave();
    return { afterMs, text: caller.text };
  };
  return Promise.all(Array.from({ length: SENDERS }, send));
}

/** Ordinary requests, one after another; the list of their statuses grows as long as the tests run, 0 for a broken answer. */
function goOnAsking(): readonly number[] {
  const statuses: number[] = [];
  const over = new AbortController();
  const asking = (async () => {
    while (!over.signal.aborted) {
      const status = await ask(processes.gateway, 'Hello [simulate tokens=4]')
        .then(async (response) => ((await response.text()).includes('[DONE]') ? response.status : 0))
        .catch(() => 0);
      statuses.push(status);
      await sleep(200);
    }
  })();
  endings.push(() => {
    over.abort();
    return asking;
  });
  return statuses;
}

/** The cost event that a wait ends with. */
async function costEventOf({ id }: Run): Promise<CostEvent> {
  for (const until = Date.now() + 80_000; Date.now() < until;) {
    const event = (await witness.costEvents()).find(({ clientRequestId }) => clientRequestId === id);
    if (event !== undefined) return event;
    await sleep(500);
  }
  throw new Error(`no cost event of ${id}`);
}

it.skipIf(!withNginx)(
  'one behind an nginx that buffers gets the sign of life of a silent stream alone (F76; needs nginx)',
  async () => {
    const { first = '', text = '' } = (await waits.silent) ?? {};
    expect(first).toBe(': keep-alive\n\n');
    expect(text).toContain('data: [DONE]');
  },
  60_000,
);

it('20 that send one byte of their headers a second get 408 after 10 s (F71)', async () => {
  const closings = await waits.slowHeaders;
  expect(closings).toHaveLength(SENDERS);
  for (const { text, afterMs } of closings) {
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(afterMs).toBeGreaterThan(9_000);
    expect(afterMs).toBeLessThan(20_000);
  }
}, 30_000);

it('20 that send one byte of their body a second get 408 after 30 s (F71)', async () => {
  const closings = await waits.slowBodies;
  expect(closings).toHaveLength(SENDERS);
  for (const { text, afterMs } of closings) {
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(afterMs).toBeGreaterThan(29_000);
    expect(afterMs).toBeLessThan(45_000);
  }
}, 60_000);

it('those that never read are cut off after 60 s, and pay for what was taken off the provider (F69)', async () => {
  expect(waits.neverRead).toHaveLength(READERS);
  for (const run of waits.neverRead) {
    const event = await costEventOf(run);
    expect(event).toMatchObject({
      outcome: 'client_cancelled',
      errorReason: 'client_stalled',
      estimated: true,
      attempts: [{ outcome: 'served' }],
    });
    expect(event.durationMs).toBeGreaterThan(59_000);
    expect(event.counts.completionTokens).toBeGreaterThan(1_000);
    const request = processes.simulator.requests.find(({ body }) =>
      (JSON.stringify(body) ?? '').includes(`${run.id} `),
    );
    expect(request?.outcome).toBe('client_closed');
    expect(request?.tokensSent).toBeLessThan(60_000);
    expect(event.counts.completionTokens).toBeLessThanOrEqual(request?.tokensSent ?? 0);
    expect(performance.now() - run.startedAt).toBeGreaterThan(59_000);
  }
  // What is left are the one that vanished, the one that reads slowly, and an ordinary one.
  await expect.poll(() => witness.metric('tokenhub_open_requests'), { timeout: 10_000 }).toBeLessThanOrEqual(3);
}, 120_000);

it('one that vanished without a goodbye is noticed like one that never reads (F68)', async () => {
  const event = await costEventOf(waits.vanished);
  expect(event).toMatchObject({ outcome: 'client_cancelled', errorReason: 'client_stalled' });
  expect(event.durationMs).toBeLessThan(90_000);
}, 120_000);

// Below some 25 KB/s one that is megabytes behind looks stopped: a socket is writable again only when a third was read.
it('one that reads 60 KB a second is served on after the others have been cut off (F70)', async () => {
  const { caller, id } = waits.slowReader;
  await costEventOf(waits.vanished);
  await sleep(3_000);
  const events = await witness.costEvents();
  expect(events.find(({ clientRequestId }) => clientRequestId === id)).toBeUndefined();
  const before = caller.text.length;
  await expect.poll(() => caller.text.length, { timeout: 5_000 }).toBeGreaterThan(before);
}, 120_000);

it('meanwhile everybody else was served (F68, F69, F70, F71)', () => {
  expect(waits.others.length).toBeGreaterThan(50);
  // A single one may have met a busy machine whose store answered too late
  const refused = waits.others.filter((status) => status !== 200);
  expect(refused).toEqual(Array<number>(refused.length).fill(503));
  const next = (index: number): number => waits.others[index + 1] ?? 200;
  expect(waits.others.filter((status, index) => status !== 200 && next(index) !== 200)).toEqual([]);
});

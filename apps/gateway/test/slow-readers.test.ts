import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { simulatedTokens, startChaosProxy, type SimulatedRequest } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRawCaller, writeRawRequest, type RawCaller } from './raw-caller.ts';
import { accumulate, parseStream, type OpenaiChunk } from './sse-client.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude, max_output_tokens: 1000000, deployments: [{ provider: anthropic, model: claude }], price: { input: "3.00", output: "15.00" } }
keys:
  - { id: test, key: "\${KEY}", models: ["*"], org: acme, limits: { concurrency: 100 } }
`;

let hub: TestGateway;
let witness: Witness;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
  witness = createWitness(hub);
  // The simulator takes a second to write so much, in this very process; then it has it ready.
  for (const model of MODELS) {
    const { id, caller } = await start(hub.url, { model });
    await caller.until(/ed\]/);
    caller.leave();
    await witness.costEvent(id);
  }
});
afterAll(async () => {
  witness.close();
  await hub.close();
});

/** More than all sockets on the way hold; Anthropic's events are the shorter ones. */
const TOKENS = { 'gpt-4': 60_000, claude: 100_000 };
const MODELS: readonly (keyof typeof TOKENS)[] = ['gpt-4', 'claude'];

let runs = 100;
/** A stream as fast as the gateway takes it. */
async function start(
  url: string,
  { model = 'gpt-4', reads = true }: { model?: keyof typeof TOKENS; reads?: boolean } = {},
): Promise<{ id: string; caller: RawCaller }> {
  const id = `run-${++runs}`;
  const caller = await connectRawCaller(url, { reads });
  const messages = [{ role: 'user', content: `${id} [simulate tokens=${TOKENS[model]} pace=1 burst=400]` }];
  caller.send(writeRawRequest({ key: KEY, id, body: { model, messages, stream: true, max_tokens: TOKENS[model] } }));
  return { id, caller };
}

function askedFor(id: string): SimulatedRequest | undefined {
  return hub.simulator.requests.find(({ body }) => (JSON.stringify(body) ?? '').includes(`${id} `));
}

/** How many tokens providers have sent, once they send no more. */
async function sentAtRest(ids: readonly string[]): Promise<number[]> {
  const sent = (): number[] => ids.map((id) => askedFor(id)?.tokensSent ?? 0);
  let last: number[] = [];
  await expect
    .poll(
      () => {
        const before = last;
        last = sent();
        return last.every((count, index) => count > 0 && count === before[index]);
      },
      { interval: 500, timeout: 20_000 },
    )
    .toBe(true);
  return last;
}

function textOf(raw: string): string {
  // The chunks of HTTP are cut at event borders, so their sizes stand on lines of their own.
  const { data } = parseStream(raw.slice(raw.indexOf('\r\n\r\n') + 4).replace(/\r?\n?[0-9a-f]+\r\n/g, '\n'));
  return accumulate(data.slice(0, -1).map((item) => JSON.parse(item) as OpenaiChunk)).text;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is alive in this process, the simulator included. */
async function usedBytes(): Promise<number> {
  // Buffers are let go a turn after what held them.
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('callers that never read (F69)', () => {
  it('pause their providers, cost the gateway little memory, and may read on later', async () => {
    const few = await Promise.all(Array.from({ length: 5 }, () => start(hub.url, { reads: false })));
    await sentAtRest(few.map(({ id }) => id));
    const before = await usedBytes();
    const more = await Promise.all(Array.from({ length: 35 }, () => start(hub.url, { reads: false })));
    const sent = await sentAtRest(more.map(({ id }) => id));
    for (const count of sent) expect(count).toBeLessThan(TOKENS['gpt-4']);
    const perStream = ((await usedBytes()) - before) / more.length;
    // What V8 knows of, the provider's side included
    expect(perStream).toBeLessThan(1024 * 1024);

    // Others are served as ever.
    const response = await hub.post('/v1/chat/completions', {
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(response.status).toBe(200);

    const [first, ...others] = [...few, ...more];
    for (const { caller } of others) caller.leave();
    let text = '';
    first?.caller.socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    first?.caller.socket.resume();
    await expect.poll(() => text.includes('data: [DONE]'), { timeout: 20_000 }).toBe(true);
    first?.caller.leave();
    expect(textOf(text)).toBe(simulatedTokens(TOKENS['gpt-4'], 1).join(''));
    expect(await witness.costEvent(first?.id ?? '')).toMatchObject({
      outcome: 'completed',
      counts: { completionTokens: TOKENS['gpt-4'] },
    });
    await expect.poll(() => hub.simulator.activeStreams).toBe(0);
    await expect.poll(() => witness.leases(), { timeout: 5_000 }).toBe(0);
  }, 60_000);
});

describe('a caller that reads slowly (F70)', () => {
  it.concurrent.each(MODELS)(
    'gets all of what %s says, and the provider sends no faster',
    async (model) => {
      const proxy = await startChaosProxy({
        target: { port: Number(new URL(hub.url).port) },
        rules: { down: { bytesPerSecond: 5_000_000 } },
      });
      try {
        const { id, caller } = await start(proxy.url, { model });
        // After a second, and less than half of it.
        await expect.poll(() => caller.text.length, { interval: 20, timeout: 20_000 }).toBeGreaterThan(5_000_000);
        expect(askedFor(id)?.tokensSent).toBeLessThan(TOKENS[model]);
        await caller.until(/data: \[DONE\]/);
        expect(textOf(caller.text)).toBe(simulatedTokens(TOKENS[model], 1).join(''));
        expect(await witness.costEvent(id)).toMatchObject({
          outcome: 'completed',
          counts: { completionTokens: TOKENS[model] },
        });
        caller.leave();
      } finally {
        await proxy.close();
      }
    },
    60_000,
  );
});

import { createRandom, simulatedTokens } from '@tokenhub/simulator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accumulate, parseStream, type OpenaiChunk } from './sse-client.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

const TENANTS = 20;
const STREAMS = 2_000;
const AT_ONCE = 60;
const TOKENS = 24;
/** Of a stream that will be left: several of its events may come in one read, and it must not be over by then. */
const TOKENS_OF_LEFT = 500;

const keyOf = (tenant: number): string => `tokenhub_tenant-${String(tenant).padStart(2, '0')}-0123456789`;
const canaryOf = (tenant: number): string => `canary-of-tenant-${String(tenant).padStart(2, '0')}`;

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
  - { id: vllm, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
models:
  - { id: gpt-4, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude, max_output_tokens: 8000, deployments: [{ provider: anthropic, model: claude }], price: { input: "3.00", output: "15.00" } }
  - { id: llama, deployments: [{ provider: vllm, model: llama }], price: { input: "0.10", output: "0.20" } }
keys:
${Array.from({ length: TENANTS }, (_, tenant) => `  - { id: tenant-${tenant}, key: ${keyOf(tenant)}, models: ["*"], org: org-${tenant} }`).join('\n')}
`;
const MODELS = ['gpt-4', 'claude', 'llama'];

let hub: TestGateway;
let witness: Witness;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG, simulator: { logSize: 2 * STREAMS } });
  witness = createWitness(hub);
});
afterAll(async () => {
  witness.close();
  await hub.close();
});

/** What a stream says, whole or not. */
function textOf(sse: string): string {
  const { data } = parseStream(sse);
  return accumulate(data.filter((item) => item.startsWith('{')).map((item) => JSON.parse(item) as OpenaiChunk)).text;
}

it('2,000 streams of 20 tenants, a third of them cancelled, cross nowhere, also after poisoned sockets (G32)', async ({
  skip,
}) => {
  skip(hub.redis.kind === 'embedded', 'the substitute for Redis is too slow for so many');
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const random = createRandom(seed);
  let failed = 0;
  const answers: { id: string; tenant: number; text: string; ended: boolean }[] = [];

  /** Each stream has words of its own, so that a single foreign one would show. */
  async function streamOne(index: number): Promise<void> {
    const tenant = Math.floor(random() * TENANTS);
    const model = MODELS[Math.floor(random() * MODELS.length)];
    const cancelsAfter = random() < 0.3 ? 1 + Math.floor(random() * 10) : Infinity;
    const tokens = cancelsAfter === Infinity ? TOKENS : TOKENS_OF_LEFT;
    const isPoisoned = random() < 0.05;
    const directives = `tokens=${tokens} pace=5 seed=${index + 1}${isPoisoned ? ' fault=poison' : ''}`;
    const id = `${tenant}-${index}`;
    const controller = new AbortController();
    const response = await hub.post(
      '/v1/chat/completions',
      {
        model,
        stream: true,
        messages: [
          { role: 'system', content: canaryOf(tenant) },
          { role: 'user', content: `Hello [simulate ${directives}]` },
        ],
      },
      { headers: { authorization: `Bearer ${keyOf(tenant)}`, 'x-request-id': id }, signal: controller.signal },
    );
    expect(response.headers.get('x-client-request-id')).toBe(id);
    if (response.status !== 200) {
      // A foreign answer that comes when the next request has just gone out is taken for its answer, and refused; and now
      // and then this one process, which is all sides of it, is too busy for the 250 ms of an admission.
      const body = await response.text();
      expect(body).toMatch(/"reason":"(?:upstream_protocol|quota_unavailable)"/);
      expect(body).not.toMatch(/canary|poison/);
      if (response.status === 502) failed++;
      return;
    }
    let sse = '';
    let reads = 0;
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      sse += piece;
      if (++reads >= cancelsAfter) break;
    }
    controller.abort();
    const ended = sse.includes('data: [DONE]');
    // A stream that was left may end in the middle of an event.
    const text = textOf(sse.slice(0, sse.lastIndexOf('\n\n') + 2));
    answers.push({ id, tenant, text, ended });
    const said = simulatedTokens(tokens, index + 1).join('');
    if (ended) expect(text, `stream ${index} with seed ${seed}`).toBe(said);
    else expect(said.startsWith(text), `stream ${index} with seed ${seed} said ${text}`).toBe(true);
    expect(sse).not.toContain('canary');
    expect(sse).not.toContain('poison');
  }

  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < STREAMS) await streamOne(next++);
    }),
  );
  expect(answers.length).toBeGreaterThan(STREAMS * 0.9);
  expect(answers.filter(({ ended }) => !ended).length, `with seed ${seed}`).toBeGreaterThan(STREAMS / 10);

  // Each provider's request holds one tenant's prompt, and each cost event belongs to whoever asked.
  for (const { body } of hub.simulator.requests) {
    // Of a caller that left at once the body may never have arrived.
    if (body === undefined) continue;
    const canaries = JSON.stringify(body).match(/canary-of-tenant-\d\d/g) ?? [];
    expect(new Set(canaries).size, `with seed ${seed}`).toBe(1);
  }
  await expect.poll(() => witness.leases(), { timeout: 10_000 }).toBe(0);
  await expect.poll(() => witness.metric('tokenhub_unsettled_requests'), { timeout: 10_000 }).toBe(0);
  const events = await witness.costEvents();
  expect(events).toHaveLength(answers.length + failed);
  for (const { clientRequestId, keyId, org } of events) {
    const tenant = clientRequestId?.split('-')[0];
    expect({ keyId, org }, `with seed ${seed}`).toEqual({ keyId: `tenant-${tenant}`, org: `org-${tenant}` });
  }
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    const own = events.filter(({ org }) => org === `org-${tenant}`);
    const { month, concurrency } = await witness.quota(`key:tenant-${tenant}`, `org-${tenant}`);
    expect(month.settledNanoUsd).toBe(own.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0n));
    expect(concurrency).toBe(0);
  }
}, 120_000);

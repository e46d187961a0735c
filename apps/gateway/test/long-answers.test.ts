import { afterAll, beforeAll, expect, it } from 'vitest';
import { insist } from './insist.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, weight: 8, max_output_tokens: 16000, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
keys:
  - { id: rich, key: tokenhub_rich-0123456789ab, models: ["*"], org: a, limits: { budget_day_usd: "5" } }
  - { id: finish, key: tokenhub_finish-0123456789ab, models: ["*"], org: b, limits: { budget_day_usd: "0.2" } }
  - { id: cut, key: tokenhub_cut-0123456789ab, models: ["*"], org: c, limits: { budget_day_usd: "0.2" }, long_answers: cut }
  - { id: minute, key: tokenhub_minute-0123456789ab, models: ["*"], org: d, limits: { tpm: 6000 }, long_answers: cut }
`;
/** Held for an answer of 4096 tokens, which is assumed where a request names no bound. */
const STEP_NANO = 4096n * 30_000n;
/** Grows beyond four fifths of that within 2 s, and beyond all of it within 3. */
const LONG = 6_000;
/** One that is to be cut: whoever looks each second must find it, late as he may come. */
const ENDLESS = 20_000;

let hub: TestGateway;
let witness: Witness;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
  witness = createWitness(hub);
});
afterAll(async () => {
  witness.close();
  await hub.close();
});

function ask(key: string, tokens = LONG): Promise<Response> {
  const messages = [{ role: 'user', content: `Tell me all [simulate tokens=${tokens} pace=10 burst=20]` }];
  const headers = { authorization: `Bearer tokenhub_${key}-0123456789ab`, 'x-request-id': `long-${key}` };
  return insist(() => hub.post('/v1/chat/completions', { model: 'gpt-4', stream: true, messages }, { headers }));
}
const held = async (key: string, org: string) => (await witness.quota(`key:${key}`, org)).day.heldNanoUsd;

it('an answer that outgrows what is held for it holds more while it runs, and nothing when it has ended', async () => {
  const response = await ask('rich');
  const first = await held('rich', 'a');
  expect(first).toBeGreaterThan(STEP_NANO);
  await expect.poll(() => held('rich', 'a'), { timeout: 5000, interval: 50 }).toBe(first + STEP_NANO);
  expect(await response.text()).toContain('data: [DONE]');
  await expect.poll(() => held('rich', 'a')).toBe(0n);
  const { costNanoUsd, outcome } = await witness.costEvent('long-rich');
  expect(outcome).toBe('completed');
  expect((await witness.quota('key:rich', 'a')).day.settledNanoUsd).toBe(costNanoUsd);
});

it('where the budget has no more, it goes on and is billed in full', async () => {
  expect(await (await ask('finish')).text()).toContain('data: [DONE]');
  const { costNanoUsd, outcome } = await witness.costEvent('long-finish');
  expect(outcome).toBe('completed');
  expect(costNanoUsd).toBeGreaterThan(6000n * 30_000n);
});

it.each([
  ['budget of the day', 'cut', 'budget_exceeded', 402],
  ['tokens per minute', 'minute', 'rate_limit_exceeded', 429],
])(
  'where the %s has no more and its key wants it cut, it ends with an error event and is billed so far',
  async (_, key, reason, code) => {
    const text = await (await ask(key, ENDLESS)).text();
    expect(text).not.toContain('data: [DONE]');
    const error = /data: (\{"error".*\})/.exec(text)?.[1] ?? '';
    expect(JSON.parse(error)).toMatchObject({ error: { reason, code } });
    expect(text).toMatch(/\n: \{"cost":"0\.\d+".*"partial":true.*\}\n\n$/);
    const event = await witness.costEvent(`long-${key}`);
    expect(event).toMatchObject({ outcome: 'client_cancelled', errorReason: reason, estimated: true });
    expect(event.counts.completionTokens).toBeGreaterThan(3000);
    expect(event.counts.completionTokens).toBeLessThan(ENDLESS);
  },
);

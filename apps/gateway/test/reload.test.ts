import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALL_PROVIDERS, readTestConfig, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
});
afterAll(() => hub.close());

const NEW_KEY = 'tokenhub_new-key-0123456789';

it('a reload changes keys and models at once, and a running stream ends as it began', async () => {
  const running = await hub.post('/v1/chat/completions', {
    model: 'llama',
    stream: true,
    messages: [{ role: 'user', content: 'Hello [simulate tokens=30 pace=20]' }],
  });
  const ask = (key: string, model: string): Promise<Response> =>
    hub.post(
      '/v1/chat/completions',
      { model, messages: [{ role: 'user', content: 'Hello [simulate tokens=3]' }] },
      { headers: { authorization: `Bearer ${key}` } },
    );
  expect((await ask(NEW_KEY, 'gpt-4')).status).toBe(401);

  const changed = ALL_PROVIDERS.replace('key: "${KEY}"', `key: ${NEW_KEY}`).replace('- id: llama', '- id: llama-2');
  hub.gateway.reload(readTestConfig(changed, hub.simulator.url));

  expect((await ask(NEW_KEY, 'gpt-4')).status).toBe(200);
  expect((await ask(NEW_KEY, 'llama-2')).status).toBe(200);
  expect((await ask(NEW_KEY, 'llama')).status).toBe(404);
  expect((await hub.get('/v1/models')).status).toBe(401);
  expect(await running.text()).toContain('data: [DONE]');
});

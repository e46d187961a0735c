import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALL_PROVIDERS, startTestGateway, type TestGateway } from './test-gateway.ts';

const MOST = 10;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS, maxRequests: MOST });
});
afterAll(() => hub.close());

const ask = (content: string): Promise<Response> =>
  hub.post('/v1/chat/completions', { model: 'gpt-4', stream: true, messages: [{ role: 'user', content }] });

it('past its capacity a gateway says so at once, and what runs is left alone', async () => {
  const running = await Promise.all(Array.from({ length: MOST }, () => ask('Hello [simulate tokens=40 pace=100]')));
  expect(running.map(({ status }) => status)).toEqual(Array.from({ length: MOST }, () => 200));

  const asked = hub.simulator.requests.length;
  const refused = await Promise.all(Array.from({ length: 50 }, () => ask('Hello')));
  for (const response of refused) {
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(((await response.json()) as { error: object }).error).toMatchObject({
      reason: 'overloaded',
      type: 'server_error',
    });
  }
  expect(hub.simulator.requests).toHaveLength(asked);
  // Other routes are no load to speak of.
  expect((await hub.get('/v1/models')).status).toBe(200);
  expect(await (await hub.get('/metrics')).text()).toContain('tokenhub_shed_requests_total 50');

  for (const response of running) expect(await response.text()).toContain('data: [DONE]');
  const later = await ask('Hello');
  expect(later.status).toBe(200);
  expect(await later.text()).toContain('data: [DONE]');
});

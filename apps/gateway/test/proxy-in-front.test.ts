import type { SimulatedRequest } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStream } from './sse-client.ts';
import { hasNginx, startNginx, type Nginx } from './start-nginx.ts';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';
import { createWitness, type Witness } from './witness.ts';

const isThere = await hasNginx();

describe.skipIf(!isThere)(`behind an nginx that buffers (F76)${isThere ? '' : ': needs nginx on PATH'}`, () => {
  let hub: TestGateway;
  let witness: Witness;
  let nginx: Nginx;
  beforeAll(async () => {
    hub = await startTestGateway({ config: ALL_PROVIDERS });
    witness = createWitness(hub);
    nginx = await startNginx(hub.url);
  });
  afterAll(async () => {
    await nginx.stop();
    witness.close();
    await hub.close();
  });

  let runs = 0;
  function start(
    directives: string,
    { path = '/v1/chat/completions', model = 'gpt-4', stream = true } = {},
    signal?: AbortSignal,
  ) {
    const id = `run-${++runs}`;
    const messages = [{ role: 'user', content: `${id} [simulate ${directives}]` }];
    const answer = fetch(nginx.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model, messages, stream, max_tokens: 10_000 }),
      ...(signal !== undefined && { signal }),
    });
    const asked = (): SimulatedRequest | undefined =>
      hub.simulator.requests.find(({ body }) => (JSON.stringify(body) ?? '').includes(`${id} `));
    return { id, answer, asked };
  }

  const TOKEN = /"(?:content|text)":"[^"]/g;
  const cases = [
    ['/v1/chat/completions', 'gpt-4', /data: \[DONE\]\n\n: \{"cost"[^]*\n\n$/],
    ['/v1/chat/completions', 'claude-sonnet-4', /data: \[DONE\]\n\n: \{"cost"[^]*\n\n$/],
    ['/v1/messages', 'claude-sonnet-4', /event: message_stop\n[^]*\n\n$/],
  ] as const;

  // They mostly wait.
  it.concurrent.each(cases)('%s from %s gives its events as they come', async (path, model, end) => {
    const { answer, asked } = start('tokens=20 pace=200', { path, model });
    const response = await answer;
    expect(response.status).toBe(200);
    let text = '';
    let next = 1;
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      const seen = text.match(TOKEN)?.length ?? 0;
      // The first, the second, … and the tenth are here before the last ones have even been sent.
      for (; next <= Math.min(seen, 10); next++) expect(asked()?.tokensSent).toBeLessThan(next + 10);
    }
    expect(next).toBe(11);
    expect(text).toMatch(end);
    expect(asked()?.tokensSent).toBe(20);
  });

  it('the whole of a large stream passes', async () => {
    const { answer } = start('tokens=5000 pace=0 seed=3');
    const { data, cost } = parseStream(await (await answer).text());
    expect(data.at(-1)).toBe('[DONE]');
    expect(data.filter((item) => /"content":"[^"]/.test(item))).toHaveLength(5_000);
    expect(cost).toMatchObject({ completion_tokens: 5_000 });
  });

  it('answers that are not streamed, and errors, pass as they are', async () => {
    const whole = await start('tokens=5', { stream: false }).answer;
    expect(whole.status).toBe(200);
    expect(await whole.json()).toMatchObject({ object: 'chat.completion', usage: { completion_tokens: 5 } });
    const wrong = await start('tokens=5', { model: 'nobody' }).answer;
    expect(wrong.status).toBe(404);
    expect(await wrong.json()).toMatchObject({ error: { reason: 'model_not_found' } });
  });

  it('a stream that breaks says so', async () => {
    const { answer } = start('tokens=20 pace=5 fault=reset');
    const text = await (await answer).text();
    expect(text).toContain('upstream_disconnected');
    expect(text).not.toContain('[DONE]');
  });

  it('a caller that leaves cancels', async () => {
    const controller = new AbortController();
    const { id, answer } = start('tokens=5000 pace=10', {}, controller.signal);
    await (await answer).body?.getReader().read();
    controller.abort();
    await expect.poll(() => hub.simulator.activeStreams, { timeout: 10_000 }).toBe(0);
    expect(await witness.costEvent(id)).toMatchObject({ outcome: 'client_cancelled' });
  });
});

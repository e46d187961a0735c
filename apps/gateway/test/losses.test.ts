import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
});
afterAll(() => hub.close());

interface Sent {
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string | undefined>;
}

const messages = [{ role: 'user', content: 'Hello [simulate tokens=3 pace=0]' }];
const BEGUN = { role: 'assistant', content: 'The answer is (' };
const lastSent = (): Sent => hub.simulator.requests.at(-1) as unknown as Sent;

describe('what a provider has no words for', () => {
  it.each([
    ['/v1/chat/completions', { model: 'claude-sonnet-4', messages, seed: 7 }, 'seed'],
    ['/v1/chat/completions', { model: 'claude-sonnet-4', messages, n: 2 }, 'n'],
    ['/v1/chat/completions', { model: 'claude-sonnet-4', messages, logprobs: true }, 'logprobs'],
    ['/v1/messages', { model: 'gpt-4', max_tokens: 9, messages, top_k: 4 }, 'top_k'],
    ['/v1/messages', { model: 'gpt-4', max_tokens: 9, messages, container: 'c1' }, 'container'],
    ['/v1/messages', { model: 'gpt-4', max_tokens: 0, messages }, 'max_tokens'],
    ['/v1/messages', { model: 'gpt-4', max_tokens: 9, messages: [...messages, BEGUN] }, 'messages[1]'],
    ['/v1/responses', { model: 'claude-sonnet-4', input: 'Hello', top_logprobs: 2 }, 'top_logprobs'],
    ['/v1/responses', { model: 'llama', input: 'Hello', tools: [{ type: 'web_search' }] }, 'tools[0]'],
  ])('on %s is refused by name with 400, or dropped and named: %j', async (path, body, member) => {
    const refused = await hub.post(path, body);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain(`${member} `);
    const served = await hub.post(path, body, { headers: { 'x-tokenhub-drop-unsupported': 'true' } });
    expect(served.status).toBe(200);
    expect(served.headers.get('x-tokenhub-dropped')).toBe(member);
    expect(lastSent().body).not.toHaveProperty(member);
  });

  it('is refused with the way out, which is not taken for anything but true', async () => {
    const body = { model: 'claude-sonnet-4', messages, seed: 7 };
    const refused = await (await hub.post('/v1/chat/completions', body)).json();
    expect(refused).toMatchObject({
      error: { param: 'seed', message: expect.stringContaining('send "x-tokenhub-drop-unsupported: true"') },
    });
    const no = { headers: { 'x-tokenhub-drop-unsupported': 'false' } };
    expect(await (await hub.post('/v1/chat/completions', body, no)).json()).toMatchObject({ error: { param: 'seed' } });
    for (const name of ['x-tokenhub-drop-unsupported', 'x-tokenhub-allow-fallback']) {
      const odd = await hub.post('/v1/chat/completions', body, { headers: { [name]: 'yes' } });
      expect(odd.status).toBe(400);
      const error = { reason: 'invalid_parameter', param: name, message: `${name} must be true or false.` };
      expect(await odd.json()).toMatchObject({ error });
    }
  });

  it('is said by the envelope as by the header', async () => {
    const request = { model_hint: 'claude-sonnet-4', messages, parameters: { seed: 7 } };
    expect((await hub.post('/v1/chat', { request })).status).toBe(400);
    const served = await hub.post('/v1/chat', { request, policy: { drop_unsupported: true } });
    expect(served.headers.get('x-tokenhub-dropped')).toBe('seed');
  });

  it('does not stand in the way of another model that has them', async () => {
    const fallback = { headers: { 'x-tokenhub-allow-fallback': 'true' } };
    const served = await hub.post('/v1/chat/completions', { model: 'claude-sonnet-4', messages, seed: 7 }, fallback);
    expect(served.status).toBe(200);
    expect(served.headers.get('x-tokenhub-provider')).not.toBe('anthropic');
    expect(served.headers.get('x-tokenhub-dropped')).toBeNull();
  });

  it('is dropped and named without asking where it makes no difference', async () => {
    const marked = [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }] }];
    const served = await hub.post('/v1/messages', { model: 'gpt-4', max_tokens: 9, messages: marked });
    expect(served.status).toBe(200);
    expect(served.headers.get('x-tokenhub-dropped')).toBe('messages[0].content[0].cache_control');
  });

  it('ends no header, whatever it is called', async () => {
    const odd = { model: 'claude-sonnet-4', messages, 'a\r\nSet-Cookie: b': 1 };
    const served = await hub.post('/v1/chat/completions', odd, { headers: { 'x-tokenhub-drop-unsupported': 'true' } });
    expect(served.headers.get('x-tokenhub-dropped')).toBe('a??Set-Cookie:?b');
    expect(served.headers.get('set-cookie')).toBeNull();
  });
});

describe("Anthropic's beta features", () => {
  const body = { max_tokens: 9, messages };

  it.each([false, true])('go up beside what they allow, and what needs none (stream: %s)', async (stream) => {
    const init = { headers: { 'anthropic-beta': 'mid-conversation-system-2026-04-07' } };
    const sent = {
      ...body,
      max_tokens: 0,
      thinking: { type: 'between_tools' },
      messages: [...messages, { role: 'system', content: 'Speak French.' }, BEGUN],
    };
    const served = await hub.post('/v1/messages', { ...sent, model: 'claude-sonnet-4', stream }, init);
    expect(served.status).toBe(200);
    expect(await served.text()).toMatch(/"stop_reason":\s*"max_tokens"/);
    expect(lastSent().body).toMatchObject(sent);
    expect(lastSent().headers['anthropic-beta']).toBe('mid-conversation-system-2026-04-07');
  });

  it('reach a provider of its own API, and are dropped and named for others', async () => {
    const init = { headers: { 'anthropic-beta': 'context-1m-2025-08-07, files-api-2025-04-14' } };
    await hub.post('/v1/messages?beta=true', { ...body, model: 'claude-sonnet-4' }, init);
    expect(lastSent().headers['anthropic-beta']).toBe('context-1m-2025-08-07,files-api-2025-04-14');
    const served = await hub.post('/v1/messages', { ...body, model: 'gpt-4' }, init);
    expect(served.headers.get('x-tokenhub-dropped')).toBe('anthropic-beta');
    expect(lastSent().headers).not.toHaveProperty('anthropic-beta');
  });

  it('are names, not anything else', async () => {
    const init = { headers: { 'anthropic-beta': 'a b; c' } };
    expect((await hub.post('/v1/messages', { ...body, model: 'claude-sonnet-4' }, init)).status).toBe(400);
  });
});

describe('nothing is kept for a caller anywhere', () => {
  it.each([{ store: true }, { previous_response_id: 'resp_1' }, { conversation: 'conv_1' }, { background: true }])(
    'a response that would need it is refused by name: %j',
    async (member) => {
      const refused = await hub.post('/v1/responses', { model: 'gpt-4', input: 'Hello', ...member });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ error: { param: Object.keys(member)[0] } });
    },
  );

  it('OpenAI is told to store nothing', async () => {
    await hub.post('/v1/responses', { model: 'gpt-4', input: 'Hello' });
    expect(lastSent().body).toMatchObject({ store: false });
  });

  it("a conversation of Anthropic's is begun without being held, and not gone on with", async () => {
    const body = { model: 'claude-sonnet-4', max_tokens: 9, messages };
    expect((await hub.post('/v1/messages', { ...body, thread: { type: 'create' } })).status).toBe(200);
    expect(lastSent().body).not.toHaveProperty('thread');
    const refused = await hub.post('/v1/messages', {
      ...body,
      thread: { type: 'continue', previous_message_id: 'msg_1' },
    });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ error: { details: { error_code: 'thread_not_found' } } });
  });
});

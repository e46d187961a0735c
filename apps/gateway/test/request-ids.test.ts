import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from './insist.ts';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
});
afterAll(() => hub.close());

const messages = [{ role: 'user', content: 'Hello [simulate tokens=4]' }];

/** Without a body it is a GET. */
function send(path: string, body: object | undefined, headers: Record<string, string>): Promise<Response> {
  return insist(() =>
    fetch(hub.url + path, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'x-api-key': KEY, 'content-type': 'application/json', ...headers },
    }),
  );
}

describe.each<[string, number, string, object?]>([
  ['an answer of a model', 200, '/v1/chat/completions', { model: 'gpt-4', messages }],
  ['a stream', 200, '/v1/messages', { model: 'gpt-4', max_tokens: 9, stream: true, messages }],
  ['the refusal of a request to a model', 404, '/v1/responses', { model: 'gpt-9', input: 'Hello' }],
  ['a count of tokens', 200, '/v1/messages/count_tokens', { model: 'gpt-4', messages }],
  ['a list of models', 200, '/v1/models'],
  ['a model that is not there', 404, '/v1/models/gpt-9'],
  ['a body that is wrong', 400, '/v1/messages', {}],
  ['an address that is not there', 404, '/v1/nothing'],
  ['an address that cannot be decoded', 404, '/v1/models/%zz'],
  ['a sign of life', 200, '/healthz'],
])('%s', (_title, status, path, body) => {
  it('has our id of the request and the one of its caller', async () => {
    const answer = await send(path, body, { 'x-request-id': 'mine-1' });
    await answer.text();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(answer.headers.get('x-client-request-id')).toBe('mine-1');
  });

  it('does not repeat an id that is not well formed', async () => {
    const answer = await send(path, body, { 'x-request-id': 'not mine' });
    await answer.text();
    expect(answer.status).toBe(status);
    expect(answer.headers.has('x-client-request-id')).toBe(false);
  });
});

it('a request without a key has them in its refusal too', async () => {
  const answer = await send('/v1/models', undefined, { 'x-api-key': '', 'x-request-id': 'mine-2' });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('x-client-request-id')).toBe('mine-2');
});

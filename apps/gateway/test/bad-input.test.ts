import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const MESSAGES = [{ role: 'user', content: 'Hello [simulate tokens=3 pace=0]' }];
const CHAT = { model: 'gpt-4', messages: MESSAGES };

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({
    config: `${ALL_PROVIDERS}
  - { id: expired, key: tokenhub_expired-0123456789, models: ["*"], expires_at: "2020-01-01T00:00:00Z" }
  - { id: one-model, key: tokenhub_one-model-012345, models: [llama] }
  - { id: no-chat, key: tokenhub_no-chat-01234567, models: ["*"], scopes: [embeddings] }
`,
  });
});
afterAll(() => hub.close());

interface ErrorBody {
  readonly error: { message: string; type: string; code: number; reason: string; param?: string; request_id: string };
}

async function refusal(response: Response): Promise<ErrorBody['error']> {
  expect(response.headers.get('content-type')).toBe('application/json');
  const { error } = (await response.json()) as ErrorBody;
  expect(error.code).toBe(response.status);
  expect(error.message).not.toBe('');
  expect(error.request_id).toBe(response.headers.get('x-request-id'));
  return error;
}

describe('credentials', () => {
  const send = (headers: Record<string, string>, path = '/v1/chat/completions'): Promise<Response> =>
    fetch(hub.url + path, {
      method: 'POST',
      body: JSON.stringify(CHAT),
      headers: { 'content-type': 'application/json', ...headers },
    });

  it.each([
    ['A1 no credential', {}, 401, 'missing_api_key'],
    ['A1 Bearer without a token', { authorization: 'Bearer ' }, 401, 'missing_api_key'],
    ['A1 Basic', { authorization: 'Basic dGVzdDp0ZXN0' }, 401, 'missing_api_key'],
    ['A2 an unknown key', { authorization: 'Bearer tokenhub_unknown-key-1234' }, 401, 'invalid_api_key'],
    ['A2 a key of 10 kB', { 'x-api-key': 'k'.repeat(10_000) }, 401, 'invalid_api_key'],
    ['A2 a key of SQL', { 'x-api-key': `' OR 1=1--` }, 401, 'invalid_api_key'],
    ['A3 an expired key', { authorization: 'Bearer tokenhub_expired-0123456789' }, 401, 'key_expired'],
    [
      'A4 two different keys',
      { authorization: `Bearer ${KEY}`, 'x-api-key': 'another-key-of-mine' },
      400,
      'ambiguous_credentials',
    ],
    ['a key without the scope', { authorization: 'Bearer tokenhub_no-chat-01234567' }, 403, 'forbidden'],
  ])('%s', async (_name, headers, status, reason) => {
    const response = await send(headers);
    expect(response.status).toBe(status);
    expect((await refusal(response)).reason).toBe(reason);
    if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('A4 takes the same key in both places', async () => {
    expect((await send({ authorization: `Bearer ${KEY}`, 'x-api-key': KEY })).status).toBe(200);
  });

  it('A5 does not look at a key in the query', async () => {
    const response = await send({}, `/v1/chat/completions?api_key=${KEY}`);
    expect((await refusal(response)).reason).toBe('missing_api_key');
  });

  it('A6 answers the same to a model that is not allowed and to one that does not exist', async () => {
    const headers = { authorization: 'Bearer tokenhub_one-model-012345' };
    const forbidden = await refusal(await send(headers));
    expect(forbidden).toMatchObject({ code: 404, reason: 'model_not_found' });
    const unknown = await refusal(await hub.post('/v1/chat/completions', { ...CHAT, model: 'gpt-9' }));
    expect(unknown.message.replace('gpt-9', 'gpt-4')).toBe(forbidden.message);
  });
});

describe('bodies', () => {
  const raw = (body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${hub.url}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    });
  const good = JSON.stringify(CHAT);

  it.each([
    ['B1 text/plain', good, { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['B1 application/xml', good, { 'content-type': 'application/xml' }, 415, 'unsupported_media_type'],
    ['B1 UTF-16', good, { 'content-type': 'application/json; charset=utf-16' }, 415, 'unsupported_media_type'],
    ['B3 gzip', good, { 'content-encoding': 'gzip' }, 415, 'unsupported_encoding'],
    ['B4 an empty body', '', {}, 400, 'invalid_json'],
    ['B4 truncated JSON', '{"model":', {}, 400, 'invalid_json'],
    ['B4 trailing garbage', `${good}x`, {}, 400, 'invalid_json'],
    ['B4 NaN', '{"temperature":NaN}', {}, 400, 'invalid_json'],
    ['B6 deep nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, {}, 400, 'json_too_deep'],
    ['B7 __proto__', '{"__proto__":{"a":1}}', {}, 400, 'invalid_json'],
    ['B7 constructor.prototype', '{"constructor":{"prototype":{}}}', {}, 400, 'invalid_json'],
    ['B8 invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), {}, 400, 'invalid_utf8'],
    ['B12 an array', '[]', {}, 400, 'invalid_request'],
    ['B12 null', 'null', {}, 400, 'invalid_request'],
    ['B13 1e400', '{"temperature":1e400}', {}, 400, 'invalid_parameter'],
    ['B13 an integer beyond 2⁵³', '{"seed":9007199254740993}', {}, 400, 'invalid_parameter'],
  ])('%s', async (_name, body, headers, status, reason) => {
    const response = await raw(body, headers);
    expect(response.status).toBe(status);
    expect((await refusal(response)).reason).toBe(reason);
  });

  it('B1 refuses a body without a content type', async () => {
    const text = await exchange(
      `POST /v1/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 415 /);
    expect(text).toContain('"reason":"unsupported_media_type"');
  });

  it('B2 parses a content type with a strange parameter as the JSON it is', async () => {
    expect((await raw('{', { 'content-type': 'application/json;x' })).status).toBe(400);
  });

  it('B5 refuses a body that says it is too long before reading it', async () => {
    const text = await exchange(
      `POST /v1/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('"reason":"payload_too_large"');
    expect(text.toLowerCase()).toContain('connection: close');
  });

  it.each([
    ['B9 a lone surrogate escape', good.replace('Hello', String.raw`\ud800`)],
    ['B10 a byte order mark', `\u{feff}${good}`],
    ['B11 repeated members, of which the last counts', good.replace('"model":"gpt-4"', '"model":"no","model":"gpt-4"')],
  ])('%s is served', async (_name, body) => {
    expect((await raw(body)).status).toBe(200);
  });
});

describe('members', () => {
  const many = Array.from({ length: 10_001 }, () => MESSAGES[0]);
  it.each([
    ['B14 no messages', { model: 'gpt-4' }, 'messages'],
    ['B14 empty messages', { ...CHAT, messages: [] }, 'messages'],
    ['B14 messages that are no array', { ...CHAT, messages: 'Hello' }, 'messages'],
    ['B14 too many messages', { ...CHAT, messages: many }, 'messages'],
    ['B14 a null message', { ...CHAT, messages: [null] }, 'messages[0]'],
    ['B15 an unknown role', { ...CHAT, messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    ['B15 content of a wrong type', { ...CHAT, messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    [
      'B15 a tool message without id',
      { ...CHAT, messages: [{ role: 'tool', content: 'x' }] },
      'messages[0].tool_call_id',
    ],
    ['B16 an empty model', { ...CHAT, model: '' }, 'model'],
    ['B16 a number as model', { ...CHAT, model: 4 }, 'model'],
    ['B16 a model of 1 MB', { ...CHAT, model: 'm'.repeat(1_000_000) }, 'model'],
    ['B16 a model with line breaks', { ...CHAT, model: 'gpt-4\r\nX: y' }, 'model'],
    ['B17 max_tokens -1', { ...CHAT, max_tokens: -1 }, 'max_tokens'],
    ['B17 max_tokens 0', { ...CHAT, max_tokens: 0 }, 'max_tokens'],
    ['B17 max_tokens 1.5', { ...CHAT, max_tokens: 1.5 }, 'max_tokens'],
    ['B17 max_tokens as text', { ...CHAT, max_tokens: '5' }, 'max_tokens'],
    ['B17 max_tokens 1e12', { ...CHAT, max_tokens: 1e12 }, 'max_tokens'],
    ['B17 two limits in conflict', { ...CHAT, max_tokens: 5, max_completion_tokens: 6 }, 'max_completion_tokens'],
    ['B18 n 0', { ...CHAT, n: 0 }, 'n'],
    ['B18 n -1', { ...CHAT, n: -1 }, 'n'],
    ['B18 n 9', { ...CHAT, n: 9 }, 'n'],
    ['B18 n 1e9', { ...CHAT, n: 1e9 }, 'n'],
    ['B19 temperature as text', { ...CHAT, temperature: 'hot' }, 'temperature'],
    ['B19 temperature -1', { ...CHAT, temperature: -1 }, 'temperature'],
    ['B19 temperature 3', { ...CHAT, temperature: 3 }, 'temperature'],
    ['B19 top_p 2', { ...CHAT, top_p: 2 }, 'top_p'],
    ['B19 seed 1.5', { ...CHAT, seed: 1.5 }, 'seed'],
    ['B20 1,000 stop sequences', { ...CHAT, stop: Array.from({ length: 1_000 }, () => 'x') }, 'stop'],
    ['B20 a stop sequence of 1 MB', { ...CHAT, stop: 'x'.repeat(1_000_000) }, 'stop'],
    ['B21 stream as text', { ...CHAT, stream: 'yes' }, 'stream'],
    ['B21 stream_options without stream', { ...CHAT, stream_options: { include_usage: true } }, 'stream_options'],
  ])('%s', async (_name, body, param) => {
    const response = await hub.post('/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect(await refusal(response)).toMatchObject({
      reason: 'invalid_parameter',
      param,
      type: 'invalid_request_error',
    });
  });

  it('B16 does not find a model named by a path', async () => {
    const response = await hub.post('/v1/chat/completions', { ...CHAT, model: '../../etc/passwd' });
    expect(await refusal(response)).toMatchObject({ code: 404, reason: 'model_not_found' });
  });

  it.each(['api_base', 'base_url', 'extra_headers'])('B22 refuses "%s", which would name a host', async (name) => {
    const response = await hub.post('/v1/chat/completions', {
      ...CHAT,
      metadata: { [name]: 'http://169.254.169.254' },
    });
    expect(await refusal(response)).toMatchObject({ code: 400, reason: 'unknown_parameter' });
  });

  it.each([
    ['no request', {}, 'request'],
    ['an unknown member', { request: { messages: MESSAGES }, polici: {} }, 'polici'],
    ['no messages', { request: {} }, 'request.messages'],
    ['a wrong role', { request: { messages: [{ role: 'robot', content: 'x' }] } }, 'request.messages[0].role'],
    [
      'a wrong parameter',
      { request: { messages: MESSAGES, parameters: { temperature: 3 } } },
      'request.parameters.temperature',
    ],
    [
      'a reserved parameter',
      { request: { messages: MESSAGES, parameters: { stream: true } } },
      'request.parameters.stream',
    ],
    ['an unknown mode', { request: { messages: MESSAGES }, policy: { mode: 'fast' } }, 'policy.mode'],
    [
      'a budget above 100',
      { request: { messages: MESSAGES }, policy: { max_budget_usd: 101 } },
      'policy.max_budget_usd',
    ],
    ['a weight above 10', { request: { messages: MESSAGES }, policy: { min_weight: 11 } }, 'policy.min_weight'],
    [
      'an unknown capability',
      { request: { messages: MESSAGES }, capabilities: { flying: true } },
      'capabilities.flying',
    ],
    [
      'an unknown output format',
      { request: { messages: MESSAGES }, output_format: { type: 'pdf' } },
      'output_format.type',
    ],
  ])('names %s of the envelope by its path', async (_name, body, param) => {
    const response = await hub.post('/v1/chat', body);
    expect(response.status).toBe(400);
    expect((await refusal(response)).param).toBe(param);
  });

  it('B31 refuses a prompt that is longer than any context window', async () => {
    const long = { ...CHAT, model: 'llama', messages: [{ role: 'user', content: 'word '.repeat(40_000) }] };
    const response = await hub.post('/v1/chat/completions', long);
    expect(await refusal(response)).toMatchObject({
      code: 400,
      reason: 'context_length_exceeded',
      message: expect.stringContaining('prompt is too long'),
    });
  });

  it('refuses by name what cannot be carried over to the only model that may serve', async () => {
    const response = await hub.post('/v1/chat/completions', { ...CHAT, model: 'claude-sonnet-4', logprobs: true });
    expect(await refusal(response)).toMatchObject({ code: 400, reason: 'unsupported_parameter', param: 'logprobs' });
  });
});

describe('addresses', () => {
  it.each([
    ['an unknown path', 'GET', '/v1/nothing', 404, 'not_found'],
    ['an encoded step upwards', 'GET', '/v1/..%2fadmin', 404, 'not_found'],
    ['an address that cannot be decoded', 'GET', '/%zz', 404, 'not_found'],
    ['doubled slashes', 'POST', '//v1//chat', 404, 'not_found'],
    ['a wrong method', 'GET', '/v1/chat', 405, 'method_not_allowed'],
    ['a wrong method', 'DELETE', '/v1/models', 405, 'method_not_allowed'],
    ['a wrong method', 'GET', '/v1/chat/completions/', 405, 'method_not_allowed'],
  ])('T13 %s: %s %s', async (_name, method, path, status, reason) => {
    const response = await fetch(hub.url + path, { method, headers: { authorization: `Bearer ${KEY}` } });
    expect(response.status).toBe(status);
    expect((await refusal(response)).reason).toBe(reason);
    if (status === 405) expect(response.headers.get('allow')).toMatch(/GET|POST/);
  });

  it('a slash at the end is passed over, and does not open what needs a key', async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const list = await fetch(`${hub.url}/v1/models/`, { headers });
    expect(await list.json()).toEqual(await (await hub.get('/v1/models')).json());
    expect(await (await fetch(`${hub.url}/v1/models/gpt-4/`, { headers })).json()).toMatchObject({ id: 'gpt-4' });
    expect((await hub.post('/v1/chat/completions/', CHAT)).status).toBe(200);
    expect((await fetch(`${hub.url}/v1/models/`)).status).toBe(401);
    expect((await fetch(`${hub.url}/docs/`)).status).toBe(200);
  });

  it('answers what is not HTTP in the shape of all errors and closes', async () => {
    const text = await exchange('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('"reason":"malformed_request"');
  });

  it('T7 refuses more than 16 KiB of headers', async () => {
    const text = await exchange(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
  });
});

/** Sends bytes on a bare socket and gives all that comes back until the other side closes. */
function exchange(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

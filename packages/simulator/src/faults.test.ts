import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gunzipSync } from 'node:zlib';
import { dataOf, rawRequest, type RawAnswer, type RawRequest } from '../test/raw-request.ts';
import { FAULT_NAMES } from './fault-names.ts';
import { startSimulator, type Simulator } from './start-simulator.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

const tested = new Set<string>();

/** Asks for ten tokens and the fault. */
function fail(directives: string, request: Partial<RawRequest> = {}): Promise<RawAnswer> {
  const fault = /fault=([\w-]+)/.exec(directives)?.[1] ?? '';
  tested.add(fault);
  // Where silence is to come, it need not be waited for as long.
  const quietMs = fault === 'stall' || fault === 'headers-only' ? 300 : 1_000;
  return rawRequest({ port: simulator.port, quietMs, prompt: `[simulate tokens=10 ${directives}]`, ...request });
}

async function failedBody(directives: string): Promise<string> {
  return (await fail(directives)).body.toString('latin1');
}

/** The completion tokens of each usage report in the stream. */
async function reportedTokens(usage: string): Promise<number[]> {
  const { body } = await fail(`usage=${usage}`, { body: { stream_options: { include_usage: true } } });
  return Array.from(body.toString().matchAll(/"completion_tokens":(-?\d+)/g), (match) => Number(match[1]));
}

const messages = { path: '/anthropic/v1/messages' };
const whole = { body: { stream: false } };

describe('connections that fail', () => {
  it('silent: takes the request and answers nothing', async () => {
    const answer = await fail('fault=silent', { quietMs: 50 });
    expect(answer).toMatchObject({ end: 'silence', bytes: Buffer.alloc(0) });
    await expect.poll(() => simulator.requests.at(-1)?.outcome).toBe('client_closed');
  });

  it('reset-early and disconnect-early: the connection ends before any byte of an answer', async () => {
    expect(await fail('fault=reset-early')).toMatchObject({ end: 'reset', bytes: Buffer.alloc(0) });
    expect(simulator.requests.at(-1)).toMatchObject({ outcome: 'broken', status: undefined, tokensSent: 0 });
    expect(await fail('fault=disconnect-early')).toMatchObject({ end: 'cut', bytes: Buffer.alloc(0) });
  });

  it('headers-only: a good status line, then nothing', async () => {
    const answer = await fail('fault=headers-only');
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK');
    expect(answer.headers).toContain('content-type: text/event-stream');
    expect(answer).toMatchObject({ end: 'silence', body: Buffer.alloc(0) });
  });

  // A role and the tokens; the truth about what was sent is in the log.
  it.each([
    ['stall', 'silence'],
    ['reset', 'reset'],
    ['disconnect', 'cut'],
    ['truncate', 'whole'],
  ])('%s: ends by %s after so many tokens', async (fault, end) => {
    const answer = await fail(`fault=${fault} after=4`);
    expect(answer.end).toBe(end);
    expect(dataOf(answer.body)).toHaveLength(1 + 4);
    expect(simulator.requests.at(-1)?.tokensSent).toBe(4);
  });

  it.each(['stall', 'reset', 'disconnect', 'truncate'])('%s: breaks a plain answer in its middle', async (fault) => {
    const answer = await fail(`fault=${fault}`, whole);
    expect(answer.body.length).toBeGreaterThan(100);
    expect(() => JSON.parse(answer.body.toString())).toThrow();
  });

  it('reset: also works on a paced stream of Anthropic', async () => {
    const answer = await fail('fault=reset after=2 pace=5', messages);
    expect(answer.end).toBe('reset');
    expect(answer.body.toString().match(/text_delta/g)).toHaveLength(2);
    expect(simulator.requests.at(-1)?.outcome).toBe('broken');
  });

  it('half-event: the stream ends within an event', async () => {
    const answer = await fail('fault=half-event after=2');
    expect(answer.end).toBe('whole');
    expect(answer.body.toString()).toMatch(/\n\ndata: [^\n]+$/);
  });

  it('trickle: a byte at a time, for ever', async () => {
    const answer = await fail('fault=trickle pace=5', { until: 'data: xxx' });
    expect(answer.chunks.at(-1)).toEqual(Buffer.from('x'));
  });

  it('pings: signs of life without content, for ever', async () => {
    expect((await fail('fault=pings pace=5', { until: ': keep-alive\n\n: keep-alive' })).end).toBe('silence');
    expect((await fail('fault=pings pace=5', { ...messages, until: 'ping"}\n\nevent: ping' })).end).toBe('silence');
  });

  it('poison: a second answer on the idle socket', async () => {
    const answer = await fail('fault=poison', { until: 'nobody asked for' });
    expect(answer.end).toBe('whole');
    expect(answer.bytes.toString('latin1').match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });
});

describe('streams that end otherwise', () => {
  it('done-without-finish and finish-without-done: one of the two is missing', async () => {
    const done = dataOf((await fail('fault=done-without-finish')).body);
    expect(done.at(-1)).toBe('[DONE]');
    expect(done.join('')).not.toContain('"finish_reason":"stop"');
    const finish = dataOf((await fail('fault=finish-without-done')).body);
    expect(finish.at(-1)).toContain('"finish_reason":"stop"');
    const stop = dataOf((await fail('fault=done-without-finish', messages)).body);
    expect(stop.at(-1)).toContain('message_stop');
    expect(stop.join('')).not.toContain('message_delta');
  });

  it('first-event-error, role-then-error, mid-stream-error: an error in a 200', async () => {
    const first = await fail('fault=first-event-error');
    expect(first.statusLine).toContain('200');
    expect(dataOf(first.body)).toEqual([expect.stringMatching(/^\{"error":/)]);
    const role = dataOf((await fail('fault=role-then-error', messages)).body);
    expect(role).toEqual([expect.stringContaining('message_start'), expect.stringContaining('overloaded_error')]);
    const middle = dataOf((await fail('fault=mid-stream-error after=2')).body);
    expect(middle).toHaveLength(1 + 2 + 1);
    expect(middle.at(-1)).toMatch(/^\{"error":/);
  });

  it('empty-body, html, json-on-stream: no stream at all', async () => {
    expect(await fail('fault=empty-body')).toMatchObject({ end: 'whole', body: Buffer.alloc(0) });
    const html = await fail('fault=html');
    expect(html.headers).toContain('content-type: text/html');
    expect(html.body.toString()).toMatch(/^<html>/);
    const json = await fail('fault=json-on-stream');
    expect(json.headers).toContain('content-type: application/json');
    expect(JSON.parse(json.body.toString())).toMatchObject({ object: 'chat.completion' });
  });
});

describe('bytes that are odd', () => {
  it('invalid-utf8, nul, bad-json: one broken event among good ones', async () => {
    const utf8 = await fail('fault=invalid-utf8');
    expect(utf8.body.includes(Buffer.from([0xff, 0xfe]))).toBe(true);
    expect(dataOf(utf8.body)).toHaveLength(1 + 10 + 1 + 1 + 1);
    expect((await fail('fault=nul')).body.includes(0)).toBe(true);
    const broken = dataOf((await fail('fault=bad-json')).body).filter((data) => data !== '[DONE]');
    expect(() => broken.map((data): unknown => JSON.parse(data))).toThrow(SyntaxError);
  });

  it('split: every byte in a chunk of its own, also within characters', async () => {
    const good = await rawRequest({ port: simulator.port, prompt: '[simulate tokens=10 multibyte=1]' });
    const answer = await fail('fault=split multibyte=1');
    expect(answer.chunks.every((chunk) => chunk.length === 1)).toBe(true);
    expect(dataOf(answer.body)).toHaveLength(dataOf(good.body).length);
    expect(answer.body.some((byte) => byte >= 0x80)).toBe(true);
    expect(simulator.requests.at(-1)?.tokensSent).toBe(10);
  });

  it('newline, bom, comments: the same events spelled otherwise', async () => {
    expect(await failedBody('newline=crlf')).not.toMatch(/[^\r]\n/);
    expect(await failedBody('newline=cr')).not.toContain('\n');
    const mixed = await failedBody('newline=mixed');
    expect([/\r\n/, /[^\r]\n/, /\r[^\n]/].every((lineEnd) => lineEnd.test(mixed))).toBe(true);
    expect((await failedBody('bom=1')).startsWith('\xef\xbb\xbfdata:')).toBe(true);
    expect((await failedBody('comments=1')).match(/^: comment \d+$/gm)).toHaveLength(10 + 3);
  });
});

describe('too much of it', () => {
  const size = 3 * 1024 * 1024;

  it('huge-line and endless-data-lines: as many bytes as asked for', async () => {
    const line = await fail(`fault=huge-line size=${size}`);
    expect(line.body.length - line.body.lastIndexOf('\n')).toBeGreaterThan(size);
    const lines = await fail(`fault=endless-data-lines size=${size}`);
    expect(dataOf(lines.body).filter((data) => data === 'x')).toHaveLength(size / 'data: x\n'.length);
  });

  it('huge-line: goes no faster than it is read', async () => {
    const before = process.memoryUsage().rss;
    await fail('fault=huge-line size=200000000', { until: 'xxxx' });
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it('gzip-bomb: a small body that inflates to the size', async () => {
    const answer = await fail(`fault=gzip-bomb size=${size}`);
    expect(answer.headers).toContain('content-encoding: gzip');
    expect(answer.body.length).toBeLessThan(size / 100);
    expect(gunzipSync(answer.body)).toHaveLength(size);
  });

  it('many-encodings and many-headers', async () => {
    const encodings = await fail('fault=many-encodings');
    expect(encodings.headers.match(/gzip/g)).toHaveLength(1_000);
    const headers = await fail('fault=many-headers');
    expect(headers.headers.match(/^x-simulated-\d+: x$/gm)).toHaveLength(10_000);
  });
});

describe('error statuses', () => {
  it.each([500, 502, 503, 529, 408, 429, 400, 401, 404])('status=%i: in each provider’s shape', async (status) => {
    const openai = await fail(`fault=status=${status}`);
    expect(openai.statusLine).toContain(` ${status}`);
    expect(JSON.parse(openai.body.toString())).toHaveProperty('error.type');
    const anthropic = await fail(`status=${status}`, messages);
    expect(anthropic.statusLine).toContain(` ${status}`);
    expect(JSON.parse(anthropic.body.toString())).toMatchObject({ type: 'error', request_id: expect.any(String) });
  });

  it('retry-after: as it is given, or a date', async () => {
    expect((await fail('status=429 retry-after=120 retry-after-ms=5')).headers).toMatch(
      /retry-after: 120\nretry-after-ms: 5/,
    );
    expect((await fail('status=429 retry-after=-5')).headers).toContain('retry-after: -5');
    expect((await fail('status=429 retry-after=soon')).headers).toContain('retry-after: soon');
    expect((await fail('status=429 retry-after=date')).headers).toMatch(/retry-after: \w{3}, \d{2} .* gmt/);
    const { headers } = await fail('status=429 retry-after=date-3600');
    expect(Date.parse(/retry-after: (.*)/.exec(headers)?.[1] ?? '')).toBeLessThan(Date.now());
    expect((await fail('status=429')).headers).not.toContain('retry-after');
  });

  it('context-length: the refusal that names the context', async () => {
    const openai = await fail('fault=context-length');
    expect(JSON.parse(openai.body.toString())).toMatchObject({ error: { code: 'context_length_exceeded' } });
    expect((await fail('fault=context-length', messages)).body.toString()).toContain('prompt is too long');
  });

  it('auth-once: the first request gets a 401, the next its answer', async () => {
    const statuses = [await fail('fault=auth-once label=a'), await fail('fault=auth-once label=a')];
    expect(statuses.map((answer) => answer.statusLine)).toEqual(['HTTP/1.1 401 Unauthorized', 'HTTP/1.1 200 OK']);
  });

  it('expired-key: the first key is refused as often as it comes, another is taken', async () => {
    const old = await Promise.all([fail('fault=expired-key'), fail('fault=expired-key')]);
    expect(old.every((answer) => answer.statusLine.includes('401'))).toBe(true);
    const fresh = await fail('fault=expired-key', { headers: ['authorization: Bearer fresh'] });
    expect(fresh.statusLine).toContain('200');
  });

  it('times: fails so often and then no more, each directive for itself', async () => {
    const statuses: string[] = [];
    for (const label of ['x', 'x', 'x', 'y']) {
      statuses.push((await fail(`status=500 times=2 label=${label}`)).statusLine.slice(9, 12));
    }
    expect(statuses).toEqual(['500', '500', '200', '500']);
  });

  it('every: each Nth request fails, up to so many times', async () => {
    const outcomes: string[] = [];
    for (let count = 0; count < 7; count++) {
      outcomes.push((await fail('status=503 every=3 label=e')).statusLine.slice(9, 12));
    }
    expect(outcomes).toEqual(['200', '200', '503', '200', '200', '503', '200']);
    const ends: string[] = [];
    for (let count = 0; count < 6; count++) ends.push((await fail('fault=reset every=2 times=2')).end);
    expect(ends).toEqual(['whole', 'reset', 'whole', 'reset', 'whole', 'whole']);
  });
});

describe('usage that lies', () => {
  it('negative, huge, absent, decreasing', async () => {
    expect(await reportedTokens('negative')).toEqual([-10]);
    expect(await reportedTokens('huge')).toEqual([1e12]);
    expect(await reportedTokens('absent')).toEqual([]);
    expect(await reportedTokens('decreasing')).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 10, 10]);
  });
});

it('has a test for every fault', () => {
  expect(FAULT_NAMES.filter((name) => !tested.has(name))).toEqual([]);
});

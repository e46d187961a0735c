import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rawRequest } from '../test/raw-request.ts';
import { startSimulator, type Simulator } from './start-simulator.ts';

const FILES: Readonly<Record<string, string | Buffer>> = {
  'acme/text.sse': Buffer.from('data: {"a":"é"}\r\n\r\n: comment\r\n\r\ndata: \xff\r\n\r\ndata: [DONE]', 'latin1'),
  'acme/nonstream/text.one.body': '{"choices":[]}',
  'acme/errors/429-slow.body': '{"error":"slow down"}',
  'acme/errors/429-slow.json': JSON.stringify({
    status: 429,
    response_headers: { 'content-type': 'application/problem+json', 'retry-after': '7', 'content-length': '1' },
  }),
};

let directory: string;
let simulator: Simulator;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recordings-'));
  await mkdir(join(directory, 'acme', 'nonstream'), { recursive: true });
  await mkdir(join(directory, 'acme', 'errors'), { recursive: true });
  for (const [name, bytes] of Object.entries(FILES)) await writeFile(join(directory, name), bytes);
  simulator = await startSimulator({ recordingsDir: directory });
});
afterAll(async () => {
  await simulator.close();
  await rm(directory, { recursive: true });
});

const replay = (directives: string) => rawRequest({ port: simulator.port, prompt: `[simulate ${directives}]` });

it('replays a stream byte for byte, in one write or at a pace', async () => {
  const bytes = await readFile(join(directory, 'acme/text.sse'));
  const answer = await replay('recording=acme/text');
  expect(answer.body).toEqual(bytes);
  expect(answer.headers).toContain('content-type: text/event-stream');
  const paced = await replay('recording=acme/text pace=10');
  expect(paced.body).toEqual(bytes);
  expect(paced.chunks.length).toBeGreaterThan(1);
});

it('replays a plain answer and an error with its status and headers', async () => {
  expect((await replay('recording=acme/text.one')).body.toString()).toBe('{"choices":[]}');
  const error = await replay('recording=acme/errors/429-slow');
  expect(error.statusLine).toContain(' 429 ');
  expect(error.headers).toMatch(/content-type: application\/problem\+json/);
  expect(error.headers).toContain('retry-after: 7');
  expect(error.body.toString()).toBe('{"error":"slow down"}');
});

it('can be named in the path', async () => {
  const path = `/sim/${encodeURIComponent('recording=acme/text')}/openai/v1/chat/completions`;
  expect((await rawRequest({ port: simulator.port, path })).body).toEqual(FILES['acme/text.sse']);
});

it('breaks off a recording like any other answer', async () => {
  const answer = await replay('recording=acme/text fault=reset after=1');
  expect(answer).toMatchObject({ end: 'reset', body: Buffer.from('data: {"a":"é"}\r\n\r\n', 'latin1') });
});

it.each(['acme/none', '../acme/text', 'acme/../acme/text', 'acme'])('refuses %s', async (name) => {
  expect((await replay(`recording=${name}`)).statusLine).toContain(' 400 ');
});

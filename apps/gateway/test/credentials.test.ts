import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTestConfig, startTestGateway, type TestGateway } from './test-gateway.ts';

let folder: string;
let config: string;
let hub: TestGateway;

const inFolder = (name: string): string => join(folder, name);

/** Prints the key in the file that it is given, and leaves a line in another. */
const PRINT_KEY =
  'const fs = require("node:fs"); fs.appendFileSync(process.argv[2], "read\\n"); console.log(fs.readFileSync(process.argv[1], "utf8"))';

function writeConfig(): string {
  const at = (path: string): string => `base_url: "\${SIMULATOR}${path}/openai/v1", allow_private: true`;
  const command = (...args: string[]): string => `credentials: { command: ${JSON.stringify(args)} }`;
  return `
providers:
  - { id: hiccup, type: openai, ${at('/sim/fault=auth-once')}, api_key: sk-static }
  - { id: closed, type: openai, ${at('/sim/status=401')}, api_key: sk-static }
  - { id: open, type: openai, ${at('')}, api_key: sk-static }
  - { id: from-file, type: openai, ${at('')}, credentials: { file: ${JSON.stringify(inFolder('key'))} } }
  - { id: from-command, type: openai, ${at('')}, ${command(process.execPath, '-e', PRINT_KEY, inFolder('key'), inFolder('readings'))} }
  - { id: unreadable, type: openai, ${at('')}, ${command('sh', '-c', 'echo sk-printed; exit 3')} }
models:
  - { id: once, deployments: [{ provider: hiccup, model: m }], price: free }
  - { id: twice, deployments: [{ provider: closed, model: m }, { provider: open, model: m }], price: free }
  - { id: file, deployments: [{ provider: from-file, model: m }], price: free }
  - { id: command, deployments: [{ provider: from-command, model: m }], price: free }
  - { id: unreadable, deployments: [{ provider: unreadable, model: m }], price: free }
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenhub-credentials-'));
  config = writeConfig();
  hub = await startTestGateway({ config });
});
afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Every answer is looked through for secrets. */
async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  expect(text + JSON.stringify([...response.headers])).not.toContain('sk-');
  return { status: response.status, headers: response.headers, text };
}

async function ask(model: string, directives = 'tokens=3'): Promise<Answer> {
  const messages = [{ role: 'user', content: `Hello [simulate ${directives}]` }];
  return read(await hub.post('/v1/chat/completions', { model, messages, stream: true }));
}

/** The deployments of a model that may not serve now, with the reason. */
async function excluded(model: string): Promise<Record<string, string>> {
  const body = { model, messages: [{ role: 'user', content: 'Hello' }] };
  const { text } = await read(await hub.post('/v1/route/explain', body));
  const all = (JSON.parse(text) as { excluded: { model: string; provider: string; reason: string }[] }).excluded;
  return Object.fromEntries(all.filter((one) => one.model === model).map(({ provider, reason }) => [provider, reason]));
}

/** What was asked upstream while this ran: each request's key and the status of its answer. */
async function asked(run: () => Promise<unknown>): Promise<string[]> {
  const before = hub.simulator.requests.length;
  await run();
  return hub.simulator.requests
    .slice(before)
    .map(({ headers, status }) => `${headers.authorization?.replace('Bearer ', '')} ${status}`);
}

it('a 401 that passes is nothing that a caller hears of', async () => {
  const requests = await asked(async () => {
    const { status, headers, text } = await ask('once');
    expect(status).toBe(200);
    expect(headers.get('x-tokenhub-attempts')).toBe('1');
    expect(headers.get('x-tokenhub-reason')).toBe('model-hint');
    expect(text).toContain('data: [DONE]');
  });
  expect(requests).toEqual(['sk-static 401', 'sk-static 200']);
  expect(await excluded('once')).toEqual({});
});

it('a second 401 moves on to the next deployment, and the credential is left alone until a reload', async () => {
  const first = await asked(async () => {
    const { status, headers } = await ask('twice');
    expect(status).toBe(200);
    expect(headers.get('x-tokenhub-provider')).toBe('open');
    expect(headers.get('x-tokenhub-attempts')).toBe('2');
  });
  expect(first).toEqual(['sk-static 401', 'sk-static 401', 'sk-static 200']);
  expect(await excluded('twice')).toEqual({ closed: 'credentials_refused' });

  expect(await asked(() => ask('twice'))).toEqual(['sk-static 200']);

  hub.gateway.reload(readTestConfig(config, hub.simulator.url));
  expect(await excluded('twice')).toEqual({});
  expect(await asked(() => ask('twice'))).toEqual(first);
});

it.each(['file', 'command'])('100 requests with a key that has been replaced are all served (%s)', async (model) => {
  await writeFile(inFolder('key'), `sk-old-${model}\n`);
  expect(await asked(() => ask(model))).toEqual([`sk-old-${model} 200`]);
  await writeFile(inFolder('key'), `sk-new-${model}\n`);
  await writeFile(inFolder('readings'), '');

  // The first key that the simulator sees with this is the old one: it is refused from then on.
  const directives = `tokens=3 fault=expired-key delay=300 label=${model}`;
  const requests = await asked(async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(model, directives)));
    for (const { status, headers, text } of answers) {
      expect(status).toBe(200);
      expect(headers.get('x-tokenhub-attempts')).toBe('1');
      expect(text).toContain('data: [DONE]');
    }
  });
  expect(requests.filter((request) => request === `sk-new-${model} 200`)).toHaveLength(100);
  expect(new Set(requests)).toEqual(new Set([`sk-old-${model} 401`, `sk-new-${model} 200`]));
  if (model === 'command') expect(await readFile(inFolder('readings'), 'utf8')).toBe('read\n');
});

it('a credential that cannot be read is our fault and not the caller’s, and nobody is asked with it', async () => {
  const fail = async (): Promise<void> => {
    const { status, text } = await ask('unreadable');
    expect(status).toBe(502);
    expect((JSON.parse(text) as { error: object }).error).toMatchObject({ reason: 'upstream_auth' });
  };
  expect(await asked(fail)).toEqual([]);
  expect(await excluded('unreadable')).toEqual({ unreadable: 'credentials_refused' });
  expect(await asked(fail)).toEqual([]);
});

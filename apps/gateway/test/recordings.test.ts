import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRESET_NAMES } from '@tokenhub/core';
import { createOutbox, readOutboxEntry, type LedgerEntry } from '@tokenhub/metering';
import { redisOptions } from '@tokenhub/config';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accumulate, parseStream, type OpenaiChunk } from './sse-client.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

const DIRECTORY = join(import.meta.dirname, '../../../../shared/wire');
const present = existsSync(DIRECTORY);

/** What must come out of a recording; written by a program of its own that knows nothing of this project. */
interface Expected {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal?: string;
  readonly tool_calls: readonly { id: string; name: string; arguments: string }[];
  readonly finish_reason: string | null;
  readonly error: unknown;
  readonly usage: {
    prompt_tokens: number | null;
    completion_tokens: number | null;
    cached_tokens?: number | null;
    reasoning_tokens?: number | null;
  } | null;
}

interface Recording {
  readonly name: string;
  /** Its folder, which also names the model that it is asked of. */
  readonly folder: string;
  readonly dialect: 'openai' | 'anthropic';
  readonly body: string;
  readonly expected: Expected;
}

const recordings: Recording[] = present ? [...readRecordings()] : [];

function* readRecordings(): Generator<Recording> {
  const folders = readdirSync(DIRECTORY, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name: provider } of folders) {
    for (const file of readdirSync(join(DIRECTORY, provider)).filter((name) => name.endsWith('.sse'))) {
      const base = join(DIRECTORY, provider, file.slice(0, -4));
      const facts = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as { dialect: string; expected: Expected };
      yield {
        name: `${provider}/${file.slice(0, -4)}`,
        folder: provider,
        dialect: facts.dialect === 'anthropic-messages' ? 'anthropic' : 'openai',
        body: readFileSync(`${base}.sse`, 'utf8'),
        expected: facts.expected,
      };
    }
  }
}

/** Those of one folder are served by a provider of their own, which has that folder's preset if there is one. */
function configOf(folders: readonly string[]): string {
  const price = '{ input: "1.00", output: "2.00", cached_input: "0.50" }';
  const providers = folders.map((folder) => {
    const type = (PRESET_NAMES as readonly string[]).includes(folder) && folder !== 'azure-openai' ? folder : 'openai';
    const path = type === 'anthropic' ? '/anthropic' : '/openai/v1';
    return `  - { id: ${folder}, type: ${type}, base_url: "\${SIMULATOR}${path}", api_key: sk-simulated, allow_private: true }`;
  });
  const models = folders.map(
    (folder) =>
      `  - { id: ${folder}, weight: 5, deployments: [{ provider: ${folder}, model: recorded }], price: ${price} }`,
  );
  return `
providers:
${providers.join('\n')}
models:
${models.join('\n')}
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
`;
}

describe.skipIf(!present)('recorded provider streams through the gateway (need ../shared/wire)', () => {
  let hub: TestGateway;
  let redis: Redis;
  beforeAll(async () => {
    hub = await startTestGateway({
      config: configOf([...new Set(recordings.map(({ folder }) => folder))]),
      simulator: { recordingsDir: DIRECTORY },
    });
    redis = new Redis({ ...redisOptions(hub.redis.url) });
  });
  afterAll(async () => {
    redis.disconnect();
    await hub.close();
  });

  const prompt = (name: string): { role: string; content: string }[] => [
    { role: 'user', content: `[simulate recording=${name} pace=0]` },
  ];

  it.each(recordings.map((recording) => [recording.name, recording] as const))(
    '%s is relayed event for event on /v1/chat',
    async (_name, recording) => {
      for (const includeUsage of [false, true]) {
        const response = await hub.post('/v1/chat', {
          request: {
            model_hint: recording.folder,
            messages: prompt(recording.name),
            stream: true,
            ...(includeUsage && { parameters: { stream_options: { include_usage: true } } }),
          },
        });
        const text = await response.text();
        if (failsBeforeContent(recording)) {
          expect(response.status).toBeGreaterThanOrEqual(400);
          return;
        }
        const received = parseStream(text);
        const recorded = relayable(recording, includeUsage);
        const data = received.data.filter((item) => item !== '[DONE]');
        if (recording.expected.error !== null) {
          expect((JSON.parse(data.pop() ?? '') as OpenaiChunk).error?.reason).toBeDefined();
          expect(text).not.toContain('[DONE]');
        } else {
          expect(received.data.filter((item) => item === '[DONE]')).toHaveLength(1);
          expect(received.data.at(-1)).toBe('[DONE]');
        }
        // Usage that was asked for and that the provider does not report is of our own count.
        if (
          includeUsage &&
          recording.dialect === 'openai' &&
          recording.expected.usage === null &&
          recording.expected.error === null
        ) {
          expect(JSON.parse(data.pop() ?? '')).toMatchObject({ choices: [], usage: { cost: expect.any(Number) } });
        }
        expect(data.map(comparable)).toEqual(recorded.map(comparable));
        // What holds no usage is the provider's own text, to the byte.
        const untouched = (items: readonly string[]): string[] => items.filter((item) => !item.includes('"usage"'));
        if (includeUsage) expect(untouched(data)).toEqual(untouched(recorded));
        expect(received.cost).toBeDefined();
      }
    },
  );

  it.each(recordings.map((recording) => [recording.name, recording] as const))(
    '%s is read to the same answer on /v1/chat/completions',
    async (_name, recording) => {
      const { expected } = recording;
      const response = await hub.post('/v1/chat/completions', {
        model: recording.folder,
        messages: prompt(recording.name),
        stream: true,
        stream_options: { include_usage: true },
      });
      const text = await response.text();
      if (failsBeforeContent(recording)) {
        expect(response.status).toBeGreaterThanOrEqual(400);
        return;
      }
      const { data, cost } = parseStream(text);
      const chunks = data.filter((item) => item !== '[DONE]').map((item) => JSON.parse(item) as OpenaiChunk);
      const answer = accumulate(chunks.filter((chunk) => chunk.error === undefined));
      expect(answer.text).toBe(expected.text);
      expect(reasoningContent(chunks)).toBe(NOT_NAMED.has(recording.folder) ? '' : expected.reasoning);
      expect(answer.reasoning).toBe(expected.reasoning);
      if (expected.refusal !== undefined) expect(answer.refusal).toBe(expected.refusal);
      expect(answer.tools).toEqual(
        expected.tool_calls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
      );

      const entry = await ledgerEntry(response.headers.get('x-request-id') ?? '');
      if (expected.error !== null) {
        expect(chunks.at(-1)?.error).toBeDefined();
        expect(entry.event).toMatchObject({ outcome: 'upstream_error', estimated: true });
        return;
      }
      expect(answer.finishReason).toBe(expected.finish_reason);
      expect(entry.event.outcome).toBe('completed');
      // One number everywhere: comment, usage chunk and ledger.
      expect(cost?.prompt_tokens).toBe(entry.event.counts.promptTokens);
      expect(cost?.completion_tokens).toBe(entry.event.counts.completionTokens);
      if (answer.usage?.cost !== undefined) expect(answer.usage.cost).toBe(Number(cost?.cost));
      if (expected.usage === null) {
        expect(entry.event.estimated).toBe(true);
        return;
      }
      expect(entry.event.counts).toMatchObject(expectedCounts(recording));
    },
  );

  async function ledgerEntry(requestId: string): Promise<LedgerEntry> {
    const outbox = createOutbox({ redis, shard: 0 });
    for (let tries = 0; tries < 100; tries++) {
      for (const item of await outbox.read(1000)) {
        const read = readOutboxEntry(item);
        if (read.ok && read.entry.event.requestId === requestId) return read.entry;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no cost event of ${requestId}`);
  }
});

/** Recordings that hold nothing of an answer: they never become a stream. */
function failsBeforeContent({ name, expected, body }: Recording): boolean {
  const empty = expected.text === '' && expected.reasoning === '' && expected.tool_calls.length === 0;
  return (
    NOT_CHAT.has(name) ||
    (expected.error !== null && empty && expected.finish_reason === null && !body.includes('"audio":{'))
  );
}

/** A format that is neither dialect (OpenAI's old completions): refused, since no chat client could read it. */
const NOT_CHAT = new Set(['openai/legacy-completion-ada']);

/** A provider without a preset whose reasoning is called `reasoning`: of one like OpenAI that is not known. */
const NOT_NAMED = new Set(['cerebras']);

/** The reasoning by the one name that all clients read. */
function reasoningContent(chunks: readonly OpenaiChunk[]): string {
  const deltas = chunks.flatMap(({ choices = [] }) => choices.filter(({ index = 0 }) => index === 0));
  return deltas.map(({ delta }) => delta?.reasoning_content ?? '').join('');
}

/** The ledger's counts for what a provider reported. */
function expectedCounts({ name, expected: { usage } }: Recording): object {
  const {
    prompt_tokens: prompt,
    completion_tokens: completion,
    cached_tokens: cached,
    reasoning_tokens: reasoning,
  } = usage ?? {};
  // xAI counts reasoning beside the completion; in the ledger it is part of it.
  const output = name.startsWith('xai/') ? (completion ?? 0) + (reasoning ?? 0) : completion;
  return {
    ...(typeof prompt === 'number' && { promptTokens: prompt }),
    ...(typeof output === 'number' && { completionTokens: output }),
    // A part is never larger than its whole, whatever a provider says.
    ...(typeof cached === 'number' && typeof prompt === 'number' && { cachedTokens: Math.min(cached, prompt) }),
    ...(typeof reasoning === 'number' &&
      typeof output === 'number' && { reasoningTokens: Math.min(reasoning, output) }),
  };
}

/** The recorded events as a caller must get them: without what T5b removes, up to the provider's error. */
function relayable(recording: Recording, includeUsage: boolean): string[] {
  const events: string[] = [];
  for (const item of parseStream(recording.body).data) {
    if (item === '[DONE]') continue;
    const json = JSON.parse(item) as OpenaiChunk & { type?: string };
    if (json.error !== undefined && json.error !== null) break;
    const isUsageOnly = json.choices?.length === 0 && json.usage !== undefined && json.usage !== null;
    if (recording.dialect === 'openai' && isUsageOnly && !includeUsage) continue;
    events.push(item);
  }
  return events;
}

/** An event without what T5, T5b and T6 add or remove. */
function comparable(item: string): unknown {
  const json = JSON.parse(item) as { usage?: { cost?: unknown } | null };
  if (json.usage === null) delete json.usage;
  else delete json.usage?.cost;
  return json;
}

import { createBill } from '../../cost/bill.ts';
import { parsePrice } from '../../cost/parse-price.ts';
import { openaiDialect } from '../../dialects/openai/openai-dialect.ts';
import { isGatewayError, type GatewayError } from '../../errors.ts';
import { staticCredential, type Credential } from '../../providers/credential.ts';
import { createProvider } from '../../providers/create-provider.ts';
import type { Preset } from '../../providers/preset.ts';
import { createHealth } from '../../router/health.ts';
import type { RankedCandidate } from '../../router/rank.ts';
import { startHttpServer, type Script } from '../../undici/__fixtures__/test-server.ts';
import { createUndiciHttpClient } from '../../undici/undici-http-client.ts';
import type { Attempt } from '../attempt.ts';
import { openCompletion, type Completion, type OpenCompletionOptions } from '../open-completion.ts';
import type { Output } from '../stream-converter.ts';

export interface WorldOptions {
  /**
   * Providers by name, in the order in which they get their turn. One named `claude…` speaks messages, `codex…` responses,
   * another chat, `groq` with that provider's quirks.
   */
  readonly providers: Readonly<Record<string, Script>>;
  /** By provider; the others have all the time they need. */
  readonly firstEventTimeoutsMs?: Readonly<Record<string, number>>;
  /** The same for whole answers. */
  readonly wholeAnswerTimeoutsMs?: Readonly<Record<string, number>>;
  /** By provider; the others have a key that does not change. */
  readonly credentials?: Readonly<Record<string, Credential>>;
  readonly idleTimeoutMs?: number;
  readonly progressTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
  readonly contextWindows?: Readonly<Record<string, number>>;
}

const now = (): number => performance.now();

/** Providers on a real server, reached by the real client, and everything that is to be seen from outside. */
export async function createWorld(options: WorldOptions) {
  const { providers, firstEventTimeoutsMs = {}, wholeAnswerTimeoutsMs = {} } = options;
  const { credentials = {}, contextWindows = {} } = options;
  const { idleTimeoutMs = 10_000, progressTimeoutMs: progressMs = 10_000, totalTimeoutMs: totalMs } = options;
  const asked: string[] = [];
  const hungUp: string[] = [];
  const server = await startHttpServer((response, request) => {
    const name = /^\/([^/]+)\//.exec(request.url ?? '')?.[1] ?? '';
    asked.push(name);
    response.on('close', () => {
      if (!response.writableFinished) hungUp.push(name);
    });
    request.resume().on('end', () => providers[name]?.(response, request));
  });
  const http = createUndiciHttpClient({ origin: server.origin, idleTimeoutMs, allowPrivate: true });
  const records: string[] = [];
  const failures: Attempt[] = [];
  const cancel = new AbortController();

  const ranked = Object.keys(providers).map((name): RankedCandidate => {
    const isAnthropic = name.startsWith('claude');
    const baseUrl = new URL(isAnthropic ? `/${name}/` : `/${name}/v1/`, server.origin);
    const model = { id: name, weight: 5, price: parsePrice({ input: '1', output: '2' }), contextWindow: contextWindows[name] };
    const credential = credentials[name] ?? staticCredential('secret', now);
    const firstEventMs = firstEventTimeoutsMs[name] ?? 10_000;
    const wholeAnswerMs = wholeAnswerTimeoutsMs[name] ?? 10_000;
    const timeouts = { firstEventMs, wholeAnswerMs, progressMs, totalMs };
    const apis: Preset['apis'] | undefined = name.startsWith('codex') ? ['responses'] : undefined;
    const preset = isAnthropic ? 'anthropic' : name === 'groq' ? name : 'openai';
    const provider = createProvider(preset, { id: name, baseUrl, credential, http, timeouts, apis });
    const terms = { cost: 0, latency: 0, failure: 0, capability: 0 };
    const candidate = { id: name, model, provider, upstreamModel: name };
    return { candidate, terms, score: 0, estimatedCostNanoUsd: 0n, ttftMs: 0, errorRate: 0 };
  });

  return {
    ranked,
    /** The providers that were asked, in order. */
    asked,
    /** Those whose connection was closed before their answer had ended. */
    hungUp,
    /** What was told to the health, in order. */
    records,
    failures,
    cancel,
    open(body: object = {}, more: Partial<OpenCompletionOptions> = {}): Promise<Completion> {
      const request = openaiDialect.readRequest({ messages: [{ role: 'user', content: 'Hi' }], stream: true, ...body });
      return openCompletion({
        request,
        ranked,
        requestId: 'req-1',
        answerDialect: openaiDialect,
        maxAttempts: 3,
        signal: cancel.signal,
        bill: createBill(10, request.choices),
        health: {
          ...createHealth({ now }),
          recordSuccess: (id) => records.push(`${id} succeeded`),
          recordFailure: (id) => records.push(`${id} failed`),
          recordFirstToken: (id) => records.push(`${id} began`),
        },
        now,
        onFailedAttempt: (attempt) => failures.push(attempt),
        ...more,
      });
    },
    async [Symbol.asyncDispose]() {
      cancel.abort(new Error('the test is over'));
      await server[Symbol.asyncDispose]();
      await http.close();
    },
  };
}

/** Everything that a completion gives, as text: a stream with its end, or the body of a whole answer. */
export async function readAll(completion: Completion): Promise<string> {
  if (!completion.streamed) return completion.body;
  const read = await readUntilError(completion.output);
  if (read.error !== undefined) throw read.error;
  return read.text + completion.end(completion.receipt(true));
}

/** What came before the error, and the error. */
export async function readUntilError(output: AsyncIterable<Output>): Promise<{ text: string; error: unknown }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of output) text += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

/** The error that a promise ends with; fails the test when there is none or it is not ours. */
export async function errorOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => new Error('it went well'),
    (reason: unknown) => reason,
  );
  if (isGatewayError(error)) return error;
  throw error;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { BUDGET_KEY, FREE_KEY, type House } from './house.ts';

/** One request as its caller knows it: sent once, never repeated, whatever became of it. */
export interface Call {
  /** Its own words, which the provider hears too, and its id of the caller's. */
  readonly tag: string;
  readonly key: 'budget' | 'free';
  /** Absent when there was no answer at all. */
  readonly status?: number;
  /** Of the gateway, from the headers of the answer. */
  readonly requestId?: string;
  /** The answer came to its regular end. */
  readonly isComplete: boolean;
  /** What it cost, as the end of the answer said. */
  readonly costUsd?: string;
  /** As the answer's usage said. */
  readonly promptTokens?: number;
  readonly completionTokens?: number;
}

export interface Callers {
  readonly calls: readonly Call[];
  /** Requests that were granted, as far as their callers know. */
  readonly served: () => number;
  /** Sends no more and waits for what runs. */
  stop(): Promise<void>;
}

const CALLERS = 80;
/** A caller that hears nothing for so long has better things to do. */
const PATIENCE_MS = 6000;

/** Callers of all sorts that go on until they are told to stop: streams and whole answers, short and long, some hung up on. */
export function startCallers(house: House, random: () => number): Callers {
  const dispatcher = new Agent({ connections: 4 * CALLERS, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const calls: Call[] = [];
  const stopped = new AbortController();
  let served = 0;
  let number = 0;

  async function call(): Promise<Call> {
    const tag = `chaos-${number++}`;
    const key = random() < 0.8 ? 'budget' : 'free';
    const gateway = house.gateways[random() < 0.5 ? 0 : 1];
    const isStream = random() < 0.8;
    const tokens = 1 + Math.floor(random() * 30);
    const hangUpAfterMs = random() < 0.15 ? Math.floor(random() * 200) : undefined;
    const base = { tag, key, isComplete: false } as const;
    const hungUp = new AbortController();
    const patience = setTimeout(() => hungUp.abort(), hangUpAfterMs ?? PATIENCE_MS);
    let seen: Call = base;
    try {
      const answer = await request(`${gateway?.url ?? ''}/v1/chat/completions`, {
        dispatcher,
        method: 'POST',
        signal: hungUp.signal,
        headers: {
          authorization: `Bearer ${key === 'budget' ? BUDGET_KEY : FREE_KEY}`,
          'content-type': 'application/json',
          'x-request-id': tag,
        },
        body: JSON.stringify({
          model: 'gpt-4',
          stream: isStream,
          ...(isStream && { stream_options: { include_usage: true } }),
          max_tokens: 50,
          messages: [{ role: 'user', content: `${tag} [simulate tokens=${tokens} pace=${isStream ? 6 : 1}]` }],
        }),
      });
      const requestId = answer.headers['x-request-id'];
      seen = { ...base, status: answer.statusCode, ...(typeof requestId === 'string' && { requestId }) };
      if (answer.statusCode === 200) served++;
      return { ...seen, ...readEnd(await answer.body.text(), isStream, answer.statusCode) };
    } catch {
      return seen;
    } finally {
      clearTimeout(patience);
    }
  }

  const callers = Array.from({ length: CALLERS }, async () => {
    while (!stopped.signal.aborted) {
      const made = await call();
      calls.push(made);
      // Refused or cut off, a caller takes a breath
      if (made.status !== 200) await sleep(50 + random() * 100);
    }
  });
  return {
    calls,
    served: () => served,
    async stop() {
      stopped.abort();
      await Promise.all(callers);
      await dispatcher.destroy();
    },
  };
}

function readEnd(text: string, isStream: boolean, status: number): Partial<Call> {
  if (status !== 200) return {};
  const isComplete = isStream ? text.includes('data: [DONE]') : true;
  const costUsd = (isStream ? /\n: \{"cost":"([\d.]+)"/ : /"cost": ?([\d.]+)/).exec(text)?.[1];
  const promptTokens = /"prompt_tokens": ?(\d+)/.exec(text)?.[1];
  const completionTokens = /"completion_tokens": ?(\d+)/.exec(text)?.[1];
  return {
    isComplete,
    ...(costUsd !== undefined && { costUsd }),
    ...(promptTokens !== undefined && { promptTokens: Number(promptTokens) }),
    ...(completionTokens !== undefined && { completionTokens: Number(completionTokens) }),
  };
}

import { Agent, request } from 'undici';

/** What one request came to, as its caller saw it. */
export interface Answer {
  readonly id: string;
  readonly status: number;
  /** The slug of a refusal. */
  readonly reason: string | undefined;
  /** As it stood in `usage.cost`, or in the comment at the end of the stream. */
  readonly costUsd: string | undefined;
}

export interface Crowd {
  /** Of the gateways; each caller stays with one of them. */
  readonly urls: readonly string[];
  /** Of all callers. */
  readonly key: string;
  readonly callers: number;
  /** Of all callers together; each sends its next one when it has its answer. */
  readonly requests: number;
  /** What the n-th request says. */
  readonly contentOf: (index: number) => string;
  readonly maxTokens: number;
}

/** Many callers, each on a connection of its own; every second request is for a stream. */
export async function callAll({ urls, key, callers, requests, contentOf, maxTokens }: Crowd): Promise<Answer[]> {
  const dispatcher = new Agent({ connections: callers });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answers: Answer[] = [];
  let asked = 0;

  async function ask(url: string, index: number): Promise<Answer> {
    const messages = [{ role: 'user', content: contentOf(index) }];
    const body = JSON.stringify({ model: 'gpt-4', stream: index % 2 === 0, max_tokens: maxTokens, messages });
    const response = await request(`${url}/v1/chat/completions`, { dispatcher, method: 'POST', headers, body });
    const text = await response.body.text();
    return {
      id: String(response.headers['x-request-id']),
      status: response.statusCode,
      reason: /"reason": ?"(\w+)"/.exec(text)?.[1],
      costUsd: /"cost": ?"?([\d.]+)/.exec(text)?.[1],
    };
  }

  async function call(url: string): Promise<void> {
    while (asked < requests) answers.push(await ask(url, asked++));
  }

  await Promise.all(Array.from({ length: callers }, (_, caller) => call(urls[caller % urls.length] ?? '')));
  await dispatcher.close();
  return answers;
}

import { writeRawRequest } from '../apps/gateway/test/raw-caller.ts';
import { CROWD_KEY, type Service } from './start-processes.ts';

/** What a request asks for besides its words. */
export interface Wish {
  /** @defaultValue `gpt-4` */
  readonly model?: string;
  /** @defaultValue true */
  readonly stream?: boolean;
  /** @defaultValue `/v1/chat/completions` */
  readonly path?: string;
  /** @defaultValue `CROWD_KEY` */
  readonly key?: string;
  /** Comes back as the `clientRequestId` of the cost event. */
  readonly id?: string;
}

export function ask({ url }: Pick<Service, 'url'>, content: string, wish: Wish = {}): Promise<Response> {
  const { path = '/v1/chat/completions', key = CROWD_KEY, id } = wish;
  return fetch(url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(id !== undefined && { 'x-request-id': id }),
    },
    body: JSON.stringify(bodyOf(content, wish)),
  });
}

/** The same as bytes for a socket. */
export function rawRequest(content: string, wish: Wish = {}): string {
  const { path = '/v1/chat/completions', key = CROWD_KEY, id } = wish;
  return writeRawRequest({ path, key, body: bodyOf(content, wish), ...(id !== undefined && { id }) });
}

/** So many and different requests that buffers and compiled code, which come with the first ones, are no leak. */
export async function warmUp(gateway: Service): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const answers = Array.from({ length: 20 }, async (_, index) => {
      const model = index % 2 === 0 ? 'gpt-4' : 'claude';
      const path = index % 3 === 0 ? '/v1/messages' : '/v1/chat/completions';
      await (await ask(gateway, 'Hello [simulate tokens=500]', { model, path, stream: index % 5 > 0 })).text();
    });
    await Promise.all(answers);
  }
}

function bodyOf(content: string, { model = 'gpt-4', stream = true }: Wish): object {
  return { model, stream, max_tokens: 1_000_000, messages: [{ role: 'user', content }] };
}

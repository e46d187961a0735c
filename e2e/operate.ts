import { ADMIN_TOKEN, type Service } from './start-processes.ts';

/** What the operator surface is told. */
export interface Order {
  /** @defaultValue `POST` with a body, else `GET` */
  readonly method?: string;
  readonly body?: object;
}

/** Asks the operator surface, or tells it something; `undefined` where it answers with nothing. @throws Error for a bad answer. */
export async function operate<Answer>(
  { url }: Pick<Service, 'url'>,
  path: string,
  { body, method = body === undefined ? 'GET' : 'POST' }: Order = {},
): Promise<Answer> {
  const response = await fetch(`${url}/admin/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} answers ${response.status}: ${await response.text()}`);
  // oxlint-disable-next-line no-unsafe-type-assertion -- what it is is looked at by whoever asks
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

import { operate } from '../operate.ts';
import type { Service } from '../start-processes.ts';

/** Cost in USD by the id of the request. */
export type Costs = ReadonlyMap<string, string>;

interface Row {
  readonly request_id: string;
  readonly cost_usd: string;
}

/** Every row that the ledger has of a key; a second one of a request would be one too many. */
export async function readLedger(
  accounting: Pick<Service, 'url'>,
  keyId: string,
): Promise<readonly (readonly [string, string])[]> {
  const rows: [string, string][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const path = `ledger?key=${keyId}&limit=100${from}`;
    const page: { items: Row[]; next_cursor: string | null } = await operate(accounting, path);
    for (const { request_id: id, cost_usd: cost } of page.items) rows.push([id, cost]);
    cursor = page.next_cursor;
  }
  return rows;
}

/** What a gateway tells the callers themselves, asked for one after the other. */
export async function readGenerations({ url }: Service, key: string, ids: Iterable<string>): Promise<Costs> {
  const costs = new Map<string, string>();
  for (const id of ids) {
    const response = await fetch(`${url}/v1/generations/${id}`, { headers: { authorization: `Bearer ${key}` } });
    costs.set(id, ((await response.json()) as { cost_usd: string }).cost_usd);
  }
  return costs;
}

/** Of all chats in the log of a gateway that writes each of them. */
export function readLog({ output }: Service): Costs {
  const costs = new Map<string, string>();
  for (const line of output().split('\n')) {
    if (!line.includes('"msg":"chat"')) continue;
    const { requestId, costUsd } = JSON.parse(line) as { requestId: string; costUsd: string };
    costs.set(requestId, costUsd);
  }
  return costs;
}

import type { SimulatedRequest } from '@tokenhub/simulator';
import postgres from 'postgres';
import { ADMIN_TOKEN } from '../start-processes.ts';
import type { Call } from './callers.ts';
import { PRICES, type House } from './house.ts';

/*
 * Checks the books against what callers and providers have seen, with nothing of TokenHub's own code: rows are read from the
 * database, what was counted from the operator surface, and costs are reckoned anew.
 */

export interface AuditResult {
  /** What is wrong, a sentence each; empty when nothing is. */
  readonly faults: readonly string[];
  readonly rows: number;
  readonly corrections: number;
  readonly expired: number;
  /** Requests whose cost was reckoned anew. */
  readonly priced: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

interface Row {
  readonly request_id: string;
  readonly kind: 'T' | 'A' | 'R';
  readonly key_id: string;
  readonly outcome: string;
  readonly cost: bigint;
  readonly delta: bigint;
  readonly estimated: boolean;
  readonly tag: string | undefined;
}

const MOST_FAULTS = 50;
const NANO = 1_000_000_000n;

export async function audit(
  house: House,
  calls: readonly Call[],
  provider: readonly SimulatedRequest[],
): Promise<AuditResult> {
  const sql = postgres({ ...house.database, max: 1, fetch_types: false, onnotice: () => {} });
  try {
    const rows = await readRows(sql);
    const faults = [
      ...checkRows(rows),
      ...checkCalls(rows, calls),
      ...checkProvider(rows, provider),
      ...(await checkSums(sql, rows)),
      ...(await checkCounters(house, rows)),
    ];
    const terminal = rows.filter(({ kind }) => kind === 'T');
    return {
      faults: faults.slice(0, MOST_FAULTS),
      rows: terminal.length,
      corrections: rows.length - terminal.length,
      expired: terminal.filter(({ outcome }) => outcome === 'lease_expired').length,
      priced: calls.filter(({ isComplete, costUsd }) => isComplete && costUsd !== undefined).length,
      outcomes: countBy(terminal, ({ outcome }) => outcome),
    };
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function readRows(sql: postgres.Sql): Promise<readonly Row[]> {
  const rows =
    await sql`SELECT request_id, kind, key_id, outcome, cost_nano, delta_nano, estimated, event FROM cost_events`;
  return rows.map((row) => ({
    request_id: row['request_id'],
    kind: row['kind'],
    key_id: row['key_id'],
    outcome: row['outcome'],
    cost: BigInt(row['cost_nano']),
    delta: BigInt(row['delta_nano']),
    estimated: row['estimated'],
    tag: JSON.parse(row['event']).clientRequestId,
  }));
}

/** I5, I7: each request ends in exactly one row, and a correction brings the sum to what the truth is. */
function* checkRows(rows: readonly Row[]): Generator<string> {
  for (const [id, its] of Map.groupBy(rows, ({ request_id }) => request_id)) {
    const ends = its.filter(({ kind }) => kind === 'T');
    if (ends.length !== 1) yield `${id} has ${ends.length} terminal rows`;
    const corrections = its.filter(({ kind }) => kind === 'A');
    if (corrections.length > 1) yield `${id} has ${corrections.length} corrections`;
    const truth = corrections[0] ?? ends[0];
    const sum = its.reduce((total, { delta }) => total + delta, 0n);
    if (truth !== undefined && sum !== truth.cost) yield `${id} sums up to ${sum}, and has cost ${truth.cost}`;
    if (ends[0]?.outcome === 'lease_expired' && !ends[0].estimated) yield `${id} expired and is not estimated`;
  }
  const terminal = rows.filter(({ kind }) => kind === 'T');
  for (const [tag, its] of Map.groupBy(terminal, (row) => row.tag)) {
    if (its.length > 1) yield `${tag} was billed ${its.length} times`;
  }
}

/** Nothing that a caller was served is missing, and it cost what the caller was told. */
function* checkCalls(rows: readonly Row[], calls: readonly Call[]): Generator<string> {
  const byTag = Map.groupBy(rows, ({ tag }) => tag);
  for (const call of calls) {
    const its = byTag.get(call.tag) ?? [];
    if (call.status === 200 && its.length === 0) yield `${call.tag} of ${call.key} was served and is in no row`;
    if (call.status !== undefined && [401, 402, 404, 429].includes(call.status) && its.length > 0) {
      yield `${call.tag} was refused with ${call.status} and was billed`;
    }
    if (call.requestId !== undefined && its.some(({ request_id }) => request_id !== call.requestId)) {
      yield `${call.tag} is ${call.requestId} to its caller and another to the ledger`;
    }
    if (!call.isComplete || call.costUsd === undefined) continue;
    const { promptTokens = 0, completionTokens = 0 } = call;
    const expected = (BigInt(promptTokens) * PRICES.input + BigInt(completionTokens) * PRICES.output) * 1000n;
    if (toNano(call.costUsd) !== expected)
      yield `${call.tag} was told ${call.costUsd}, which is not ${expected} nano-USD`;
    const billed = its.reduce((total, { delta }) => total + delta, 0n);
    const isCutShort = its.length === 1 && its[0]?.outcome === 'lease_expired';
    // Its gateway was killed between its last byte and its settlement: billed to the last sign of life, and not more
    if (isCutShort ? billed > expected : billed !== expected) {
      yield `${call.tag} was told ${expected} nano-USD and billed ${billed} (${its.map(({ outcome }) => outcome).join()})`;
    }
  }
}

/** Whatever reached a provider is in the books. */
function* checkProvider(rows: readonly Row[], provider: readonly SimulatedRequest[]): Generator<string> {
  const known = new Set(rows.map(({ tag }) => tag));
  for (const { body, tokensSent } of provider) {
    const tag = /chaos-\d+/.exec(JSON.stringify(body) ?? '')?.[0];
    if (tag !== undefined && !known.has(tag)) yield `a provider was asked ${tag} and sent ${tokensSent} tokens; no row`;
  }
}

/** Roll-ups are the sums of their rows. */
async function* checkSumsOf(sql: postgres.Sql, rows: readonly Row[]): AsyncGenerator<string> {
  const kept = await sql`SELECT scope, sum(settled_nano)::text AS settled, sum(requests)::int AS requests FROM rollups
    WHERE length(period) = 8 GROUP BY scope`;
  for (const row of kept) {
    const its = rows.filter(({ key_id }) => scopesOf(key_id).includes(row['scope']));
    const sum = its.reduce((total, { delta }) => total + delta, 0n);
    const requests = its.filter(({ kind }) => kind === 'T').length;
    if (BigInt(row['settled']) !== sum)
      yield `the roll-up of ${row['scope']} is ${row['settled']}, its rows are ${sum}`;
    if (row['requests'] !== requests)
      yield `the roll-up of ${row['scope']} has ${row['requests']} of ${requests} requests`;
  }
  const [{ letters } = { letters: 0 }] = await sql`SELECT count(*)::int AS letters FROM dead_letters`;
  if (letters > 0) yield `there are ${letters} dead letters`;
}

async function checkSums(sql: postgres.Sql, rows: readonly Row[]): Promise<readonly string[]> {
  return Array.fromAsync(checkSumsOf(sql, rows));
}

/** I3, I4, I6: what is counted is what is written down, and nothing is held any more. */
async function checkCounters({ workers }: House, rows: readonly Row[]): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const scope of ['key:budget', 'user:ada', 'org:acme', 'key:free', 'org:free']) {
    const response = await fetch(`${workers[0]?.url}/admin/v1/quotas/${scope}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const state = (await response.json()) as QuotaState;
    const sum = rows
      .filter(({ key_id }) => scopesOf(key_id).includes(scope))
      .reduce((total, { delta }) => total + delta, 0n);
    if (state.concurrency.used !== 0) faults.push(`${scope} has ${state.concurrency.used} requests in flight`);
    if (state.month.held_usd !== '0') faults.push(`${scope} holds ${state.month.held_usd} USD`);
    if (toNano(state.month.settled_usd) !== sum) {
      faults.push(`${scope} has settled ${state.month.settled_usd} USD, its rows are ${sum} nano-USD`);
    }
  }
  return faults;
}

interface QuotaState {
  readonly concurrency: { readonly used: number };
  readonly month: { readonly settled_usd: string; readonly held_usd: string };
}

function scopesOf(keyId: string): readonly string[] {
  return keyId === 'budget' ? ['key:budget', 'user:ada', 'org:acme'] : ['key:free', 'org:free'];
}

function toNano(usd: string): bigint {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(usd) ?? [];
  const nano = BigInt(whole) * NANO + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -nano : nano;
}

function countBy<T>(all: readonly T[], nameOf: (each: T) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(all, nameOf)].map(([name, its]) => [name, its.length]));
}

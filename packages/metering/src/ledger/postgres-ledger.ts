import { GatewayError } from '@tokenhub/core';
import postgres, { type Sql } from 'postgres';
import { encodeCostEvent } from '../cost-event-codec.ts';
import { timeOf } from '../stream-position.ts';
import { POSTGRES_AUDIT } from './audit-sql.ts';
import { LedgerRefusal } from './ledger-refusal.ts';
import { parseCursor, toDeadLetter, toEntry, toPage, toRepair, toUsageGroup, type LedgerRow } from './ledger-row.ts';
import { toOrigins, toRowFlaw, toSumFlaw, toSums } from './ledger-audit.ts';
import type {
  DeadLetter,
  FlawQuery,
  Ledger,
  LedgerEntry,
  LedgerFlaw,
  LedgerOptions,
  LedgerQuery,
  LedgerSums,
  Origin,
  Repair,
  SumsQuery,
  UsageGroup,
  UsageQuery,
} from './ledger.ts';
import { shareOf } from './share.ts';
import { usageSql } from './usage-sql.ts';
import { createPostgresClient, type PostgresClient } from './postgres-client.ts';
import { POSTGRES_APPEND, POSTGRES_SCHEMA, POSTGRES_VERSION } from './postgres-schema.ts';

/** Whoever writes would rather wait for a lock than begin anew; a caller of the gateway waits for an answer. */
const WRITER_MS = { statementMs: 30_000, answerMs: 40_000 };
const READER_MS = { statementMs: 2000, answerMs: 3000 };

/**
 * A {@link Ledger} in PostgreSQL 12 or newer, for any number of processes and machines. It connects, and makes its tables,
 * when it is first asked for something, so that a server that is away stops nobody from starting.
 */
export function openPostgresLedger(url: string, { readOnly = false }: LedgerOptions = {}): Ledger {
  const client = createPostgresClient(url, { readOnly, ...(readOnly ? READER_MS : WRITER_MS) });
  return new PostgresLedger(client, readOnly);
}

class PostgresLedger implements Ledger {
  readonly #client: PostgresClient;
  readonly #readOnly: boolean;
  #prepared: Promise<void> | undefined;

  constructor(client: PostgresClient, readOnly: boolean) {
    this.#client = client;
    this.#readOnly = readOnly;
  }

  async append(entries: readonly LedgerEntry[], deadLetters: readonly DeadLetter[]): Promise<number> {
    if (entries.length === 0 && deadLetters.length === 0) return 0;
    const parameters = [JSON.stringify(entries.map(toColumns)), JSON.stringify(deadLetters.map(toLetterColumns))];
    try {
      const [row] = await this.#ask((sql) => sql.unsafe<LedgerRow[]>(POSTGRES_APPEND, parameters, { prepare: true }));
      return Number(row?.['count']);
    } catch (error) {
      throw isRefusal(error) ? new LedgerRefusal(error.message, { cause: error }) : error;
    }
  }

  async find(requestId: string): Promise<readonly LedgerEntry[]> {
    // No text of PostgreSQL holds it
    if (requestId.includes('\0')) return [];
    const rows = await this.#rows(
      (sql) => sql`SELECT * FROM cost_events WHERE request_id = ${requestId} ORDER BY kind = 'T' DESC, seq`,
    );
    return rows.map(toEntry);
  }

  async list({ cursor, limit, key, model, outcome }: LedgerQuery) {
    const before = parseCursor(cursor);
    const rows = await this.#rows(
      (sql) => sql`
        SELECT * FROM cost_events WHERE true
          ${before === undefined ? sql`` : sql`AND seq < ${before}`}
          ${key === undefined ? sql`` : sql`AND key_id = ${toText(key)}`}
          ${model === undefined ? sql`` : sql`AND model = ${toText(model)}`}
          ${outcome === undefined ? sql`` : sql`AND outcome = ${toText(outcome)}`}
        ORDER BY seq DESC LIMIT ${limit + 1}`,
    );
    return toPage(rows, limit);
  }

  async usage({ from = 0, to = Number.MAX_SAFE_INTEGER, groupBy }: UsageQuery): Promise<readonly UsageGroup[]> {
    const rows = await this.#rows((sql) => sql.unsafe(usageSql(groupBy, '$'), [from, to]));
    return rows.map(toUsageGroup);
  }

  async countDeadLetters(): Promise<number> {
    const [row] = await this.#rows((sql) => sql`SELECT count(*) AS count FROM dead_letters`);
    return Number(row?.['count'] ?? 0);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.#rows((sql) => sql`SELECT * FROM dead_letters ORDER BY shard, stream_id LIMIT ${limit}`);
    return rows.map(toDeadLetter);
  }

  async addRepairs(repairs: readonly Repair[]): Promise<void> {
    if (repairs.length === 0) return;
    const rows = repairs.map(({ madeAt, scope, period, deltaNanoUsd }) => ({
      made_at: madeAt,
      scope: toText(scope),
      period,
      delta_nano: String(deltaNanoUsd),
    }));
    await this.#ask((sql) => sql`INSERT INTO repairs ${sql(rows)}`);
  }

  async repairs({ since, limit }: { since: number; limit: number }): Promise<readonly Repair[]> {
    const rows = await this.#rows(
      (sql) => sql`SELECT * FROM repairs WHERE made_at >= ${since} ORDER BY made_at DESC LIMIT ${limit}`,
    );
    return rows.map(toRepair);
  }

  async sums(query: SumsQuery): Promise<LedgerSums> {
    const { shard, scopes, sinceDay, sinceMonth, upTo } = query;
    return this.#answer(NO_SUMS, (sql) =>
      atOneMoment(sql, async (ask) =>
        toSums(
          {
            rollups: await ask(POSTGRES_AUDIT.rollups, [JSON.stringify(scopes), sinceDay, sinceMonth]),
            last: await ask(POSTGRES_AUDIT.last, [shard]),
            later: upTo === undefined ? [] : await ask(POSTGRES_AUDIT.later, [shard, timeOf(upTo)]),
          },
          query,
        ),
      ),
    );
  }

  async origins(requestIds: readonly string[]): Promise<ReadonlyMap<string, Origin>> {
    return toOrigins(await this.#rows((sql) => sql.unsafe(POSTGRES_AUDIT.origins, [JSON.stringify(requestIds)])));
  }

  async findFlaws({ sinceDay, limit }: FlawQuery): Promise<readonly LedgerFlaw[]> {
    return this.#answer([], (sql) =>
      atOneMoment(sql, async (ask) => {
        const rows = await ask(POSTGRES_AUDIT.rowFlaws, [sinceDay, limit]);
        const days = await ask(POSTGRES_AUDIT.dayFlaws, [sinceDay, limit]);
        const months = await ask(POSTGRES_AUDIT.monthFlaws, [sinceDay.slice(0, 6), limit]);
        return [...rows.map(toRowFlaw), ...[...days, ...months].map(toSumFlaw)];
      }),
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #rows(question: (sql: Sql) => Promise<readonly LedgerRow[]>): Promise<readonly LedgerRow[]> {
    return this.#answer([], question);
  }

  /** A reader may be started before the tables are made: until then, the answer is that of an `empty` ledger. */
  async #answer<T>(empty: T, question: (sql: Sql) => Promise<T>): Promise<T> {
    try {
      return await this.#ask(question);
    } catch (error) {
      if (this.#readOnly && codeOf(error) === UNDEFINED_TABLE) return empty;
      throw new GatewayError('ledger_unavailable', 'The ledger cannot be read now. Try again in a moment.', {
        cause: error,
        retryAfterMs: 1000,
      });
    }
  }

  /** Makes the tables before the first question; once more when that failed, or when they are gone since. */
  async #ask<T>(question: (sql: Sql) => Promise<T>): Promise<T> {
    if (this.#readOnly) return this.#client.ask(question);
    const prepared = (this.#prepared ??= this.#client.ask(makeTables));
    let isPrepared = false;
    try {
      await prepared;
      isPrepared = true;
      return await this.#client.ask(question);
    } catch (error) {
      const isStale = !isPrepared || codeOf(error) === UNDEFINED_TABLE;
      if (isStale && this.#prepared === prepared) this.#prepared = undefined;
      throw error;
    }
  }
}

const NO_SUMS: LedgerSums = { position: undefined, sums: [] };

/** Several questions about one moment. */
function atOneMoment<T>(
  sql: Sql,
  read: (ask: (text: string, parameters: (string | number)[]) => Promise<readonly LedgerRow[]>) => Promise<T>,
): Promise<T> {
  const answer = sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', (transaction) =>
    read((text, parameters) => transaction.unsafe<LedgerRow[]>(text, parameters)),
  );
  // oxlint-disable-next-line no-unsafe-type-assertion -- the library unwraps arrays of promises, of which there are none here
  return answer as Promise<T>;
}

/** A role that may only add can work with tables that are there, so they are looked for first. */
async function makeTables(sql: Sql): Promise<void> {
  const [found] = await sql`
    SELECT current_setting('server_encoding') AS encoding, to_regclass('ledger_schema') IS NOT NULL AS is_made`;
  if (found?.['encoding'] !== 'UTF8') throw new Error('The ledger needs a database whose encoding is UTF8.');
  const [made] = found['is_made'] === true ? await sql`SELECT max(version) AS version FROM ledger_schema` : [];
  const version = Number(made?.['version'] ?? 0);
  if (version > POSTGRES_VERSION) throw new Error('The ledger was made by a newer release of TokenHub than this one.');
  if (version < POSTGRES_VERSION) await sql.unsafe(POSTGRES_SCHEMA);
}

function toColumns(entry: LedgerEntry) {
  const { kind, event, deltaNanoUsd, day, month, shard, streamId, createdAt } = entry;
  const { requestId } = event;
  const { counts, costsNanoUsd } = shareOf(entry);
  return {
    request_id: requestId,
    kind,
    org_id: toText(event.org),
    key_id: toText(event.keyId),
    user_id: toText(event.user),
    team_id: toText(event.team),
    model: toText(event.model),
    provider: toText(event.provider),
    attempt_count: event.attempts.length,
    period_day: day,
    period_month: month,
    tokens_in: counts.promptTokens,
    tokens_cached: counts.cachedTokens,
    tokens_cache_write: counts.cacheWriteTokens,
    tokens_out: counts.completionTokens,
    tokens_reasoning: counts.reasoningTokens,
    cost_nano: String(event.costNanoUsd),
    delta_nano: String(deltaNanoUsd),
    input_nano: String(costsNanoUsd.input),
    cached_nano: String(costsNanoUsd.cached),
    cache_write_nano: String(costsNanoUsd.cacheWrite),
    output_nano: String(costsNanoUsd.output),
    reasoning_nano: String(costsNanoUsd.reasoning),
    estimated: event.estimated,
    outcome: event.outcome,
    price_version: toText(event.priceVersion),
    shard,
    stream_id: streamId,
    admitted_at: event.admittedAt,
    created_at: createdAt,
    event: encodeCostEvent(event),
    attempts: event.attempts.map(({ deployment, provider, model, outcome, status, costNanoUsd }, index) => ({
      attempt: index + 1,
      deployment: toText(deployment),
      provider: toText(provider),
      model: toText(model),
      outcome: toText(outcome),
      status,
      cost_nano: String(costNanoUsd),
    })),
  };
}

function toLetterColumns({ shard, streamId, fields, reason }: DeadLetter) {
  return { shard, stream_id: streamId, fields: JSON.stringify(fields), reason: toText(reason) };
}

/** PostgreSQL stores neither U+0000 nor half a surrogate pair; what is text to look at and to filter by has a mark instead. */
function toText<T extends string | undefined>(value: T): T | string {
  return value === undefined ? value : value.toWellFormed().replaceAll('\0', '\uFFFD');
}

const UNDEFINED_TABLE = '42P01';

/** Classes of errors that blame a row: data, constraints, limits. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REFUSAL = /^(22|23|54)/;

function isRefusal(error: unknown): error is Error {
  return REFUSAL.test(codeOf(error) ?? '');
}

/** Of an error that the server has sent. */
function codeOf(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { encodeCostEvent } from '../cost-event-codec.ts';
import { timeOf } from '../stream-position.ts';
import { SQLITE_AUDIT } from './audit-sql.ts';
import { LedgerRefusal } from './ledger-refusal.ts';
import { parseCursor, toDeadLetter, toEntry, toPage, toRepair, toUsageGroup } from './ledger-row.ts';
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
import { rollUp } from './roll-up.ts';
import { shareOf } from './share.ts';
import { usageSql } from './usage-sql.ts';
import {
  ADD_TO_ROLLUP,
  INSERT_ATTEMPT,
  INSERT_DEAD_LETTER,
  INSERT_EVENT,
  INSERT_REPAIR,
  SQLITE_SCHEMA,
  SQLITE_STEPS,
} from './sqlite-schema.ts';

/** How long to wait for another process that is writing. */
const BUSY_TIMEOUT_MS = 5000;

/** A {@link Ledger} in one SQLite file: for a single machine, and durable, since every commit is on the disk when it returns. */
export function openSqliteLedger(path: string, { readOnly = false }: LedgerOptions = {}): Ledger {
  if (!readOnly) mkdirSync(dirname(path), { recursive: true });
  return new SqliteLedger(path, readOnly);
}

class SqliteLedger implements Ledger {
  readonly #path: string;
  readonly #readOnly: boolean;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync | undefined;

  constructor(path: string, readOnly: boolean) {
    this.#path = path;
    this.#readOnly = readOnly;
    if (readOnly) return;
    const database = this.#open();
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    makeTables(database);
  }

  async append(entries: readonly LedgerEntry[], deadLetters: readonly DeadLetter[]): Promise<number> {
    const database = this.#open();
    database.exec('BEGIN IMMEDIATE');
    try {
      const added = entries.filter((entry) => this.#insert(entry));
      for (const { scope, period, deltaNanoUsd, requests } of rollUp(added)) {
        this.#prepare(ADD_TO_ROLLUP).run(scope, period, deltaNanoUsd, requests);
      }
      for (const { shard, streamId, fields, reason } of deadLetters) {
        this.#prepare(INSERT_DEAD_LETTER).run(shard, streamId, JSON.stringify(fields), reason);
      }
      database.exec('COMMIT');
      return added.length;
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw isRefusal(error) ? new LedgerRefusal(error.message, { cause: error }) : error;
    }
  }

  async find(requestId: string): Promise<readonly LedgerEntry[]> {
    const rows = this.#all("SELECT * FROM cost_events WHERE request_id = ? ORDER BY kind = 'T' DESC, seq", requestId);
    return rows.map(toEntry);
  }

  async list({ cursor, limit, key, model, outcome }: LedgerQuery) {
    const conditions: [sql: string, value: SQLInputValue | undefined][] = [
      ['seq < ?', parseCursor(cursor)],
      ['key_id = ?', key],
      ['model = ?', model],
      ['outcome = ?', outcome],
    ];
    const { where, values } = toWhere(conditions);
    const rows = this.#all(`SELECT * FROM cost_events ${where} ORDER BY seq DESC LIMIT ?`, ...values, limit + 1);
    return toPage(rows, limit);
  }

  async usage({ from = 0, to = Number.MAX_SAFE_INTEGER, groupBy }: UsageQuery): Promise<readonly UsageGroup[]> {
    return this.#all(usageSql(groupBy, '?'), from, to).map(toUsageGroup);
  }

  async countDeadLetters(): Promise<number> {
    return Number(this.#all('SELECT count(*) AS count FROM dead_letters')[0]?.['count'] ?? 0);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#all('SELECT * FROM dead_letters ORDER BY shard, stream_id LIMIT ?', limit).map(toDeadLetter);
  }

  async addRepairs(repairs: readonly Repair[]): Promise<void> {
    const insert = this.#prepare(INSERT_REPAIR);
    for (const { madeAt, scope, period, deltaNanoUsd } of repairs) insert.run(madeAt, scope, period, deltaNanoUsd);
  }

  async repairs({ since, limit }: { since: number; limit: number }): Promise<readonly Repair[]> {
    const rows = this.#all(
      'SELECT * FROM repairs WHERE made_at >= ? ORDER BY made_at DESC, rowid DESC LIMIT ?',
      since,
      limit,
    );
    return rows.map(toRepair);
  }

  async sums(query: SumsQuery): Promise<LedgerSums> {
    const { shard, scopes, sinceDay, sinceMonth, upTo } = query;
    // One transaction: all of it is of one moment
    return this.#reading(() =>
      toSums(
        {
          rollups: this.#all(SQLITE_AUDIT.rollups, JSON.stringify(scopes), sinceDay, sinceMonth),
          last: this.#all(SQLITE_AUDIT.last, shard),
          later: upTo === undefined ? [] : this.#all(SQLITE_AUDIT.later, shard, timeOf(upTo)),
        },
        query,
      ),
    );
  }

  async origins(requestIds: readonly string[]): Promise<ReadonlyMap<string, Origin>> {
    return toOrigins(this.#all(SQLITE_AUDIT.origins, JSON.stringify(requestIds)));
  }

  async findFlaws({ sinceDay, limit }: FlawQuery): Promise<readonly LedgerFlaw[]> {
    return this.#reading(() => [
      ...this.#all(SQLITE_AUDIT.rowFlaws, sinceDay, limit).map(toRowFlaw),
      ...this.#all(SQLITE_AUDIT.dayFlaws, sinceDay, limit).map(toSumFlaw),
      ...this.#all(SQLITE_AUDIT.monthFlaws, sinceDay.slice(0, 6), limit).map(toSumFlaw),
    ]);
  }

  async close(): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
  }

  /** False when the entry is there already. */
  #insert(entry: LedgerEntry): boolean {
    const { kind, event, deltaNanoUsd, day, month, shard, streamId, createdAt } = entry;
    const { requestId, attempts } = event;
    const { counts, costsNanoUsd } = shareOf(entry);
    const row = this.#prepare(INSERT_EVENT).get({
      requestId,
      kind,
      org: event.org,
      key: event.keyId,
      user: event.user ?? null,
      team: event.team ?? null,
      model: event.model ?? null,
      provider: event.provider ?? null,
      attemptCount: attempts.length,
      day,
      month,
      tokensIn: counts.promptTokens,
      tokensCached: counts.cachedTokens,
      tokensCacheWrite: counts.cacheWriteTokens,
      tokensOut: counts.completionTokens,
      tokensReasoning: counts.reasoningTokens,
      cost: event.costNanoUsd,
      delta: deltaNanoUsd,
      input: costsNanoUsd.input,
      cached: costsNanoUsd.cached,
      cacheWrite: costsNanoUsd.cacheWrite,
      output: costsNanoUsd.output,
      reasoning: costsNanoUsd.reasoning,
      estimated: event.estimated ? 1 : 0,
      outcome: event.outcome,
      priceVersion: event.priceVersion ?? null,
      shard,
      streamId,
      admittedAt: event.admittedAt,
      createdAt,
      event: encodeCostEvent(event),
    });
    if (row === undefined) return false;
    for (const [index, attempt] of attempts.entries()) {
      const { deployment, provider, model, outcome, status, costNanoUsd } = attempt;
      this.#prepare(INSERT_ATTEMPT).run(
        requestId,
        index + 1,
        deployment,
        provider,
        model,
        outcome,
        status ?? null,
        costNanoUsd,
      );
    }
    return true;
  }

  /** A reader may be started before the file's writer: until there is a file with tables, there are no rows. */
  #all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    if (this.#isMissing()) return [];
    try {
      return this.#prepare(sql).all(...values);
    } catch (error) {
      if (this.#readOnly && error instanceof Error && error.message.startsWith('no such table')) return [];
      throw error;
    }
  }

  /** Several questions about one moment. */
  #reading<T>(ask: () => T): T {
    if (this.#isMissing()) return ask();
    const database = this.#open();
    database.exec('BEGIN');
    try {
      return ask();
    } finally {
      database.exec('COMMIT');
    }
  }

  #isMissing(): boolean {
    return this.#database === undefined && this.#readOnly && !existsSync(this.#path);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#open().prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #open(): DatabaseSync {
    this.#database ??= new DatabaseSync(this.#path, { readOnly: this.#readOnly, timeout: BUSY_TIMEOUT_MS });
    return this.#database;
  }
}

/** Several processes may do so at once. */
function makeTables(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(SQLITE_SCHEMA);
    const done = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (done > SQLITE_STEPS.length)
      throw new Error('The ledger was made by a newer release of TokenHub than this one.');
    for (const step of SQLITE_STEPS.slice(done)) database.exec(step);
    database.exec(`PRAGMA user_version = ${SQLITE_STEPS.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Conditions without a value are left out. */
function toWhere(conditions: readonly (readonly [sql: string, value: SQLInputValue | undefined])[]) {
  const given = conditions.filter(([, value]) => value !== undefined);
  return {
    where: given.length === 0 ? '' : `WHERE ${given.map(([sql]) => sql).join(' AND ')}`,
    values: given.flatMap(([, value]) => value ?? []),
  };
}

/** Primary result codes that blame a row: TOOBIG, CONSTRAINT and MISMATCH. Source: https://www.sqlite.org/rescode.html */
const REFUSALS: ReadonlySet<unknown> = new Set([18, 19, 20]);

/** Refused by SQLite, or by Node when a value fits none of SQLite's types. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error) return REFUSALS.has(Number(error.errcode) & 0xff);
  return 'code' in error && (error.code === 'ERR_INVALID_ARG_VALUE' || error.code === 'ERR_OUT_OF_RANGE');
}

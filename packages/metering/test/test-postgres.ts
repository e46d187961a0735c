import { findPostgres, startPostgres, type LocalPostgres } from '@tokenhub/local-postgres';
import postgres, { type Sql } from 'postgres';

/** Without PostgreSQL on this machine, its tests are skipped. */
export const postgresPrograms = await findPostgres();

/** A PostgreSQL for one test file. */
export interface TestPostgres {
  readonly server: LocalPostgres;
  /** Connections with all rights, to look at what was written. */
  readonly sql: Sql;
  /** The address of a new and empty schema. */
  makeUrl(): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  if (postgresPrograms === undefined) throw new Error('PostgreSQL is not installed here');
  const server = await startPostgres(postgresPrograms);
  const sql = postgres({ ...server.connection, max: 2, fetch_types: false, onnotice: () => {} });
  let count = 0;
  return {
    server,
    sql,
    async makeUrl() {
      const schema = `test_${++count}`;
      await sql`CREATE SCHEMA ${sql(schema)}`;
      return `${server.url}&search_path=${schema}`;
    },
    async stop() {
      await sql.end({ timeout: 1 });
      await server.stop();
    },
  };
}

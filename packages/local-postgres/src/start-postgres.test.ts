import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Options, type Sql } from 'postgres';
import { afterEach, describe, expect, test } from 'vitest';
import { findPostgres } from './find-postgres.ts';
import { startPostgres, type LocalPostgres } from './start-postgres.ts';

const programs = await findPostgres();
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(): Promise<LocalPostgres> {
  if (programs === undefined) throw new Error('not installed');
  const server = await startPostgres(programs);
  cleanUps.push(() => server.stop());
  return server;
}

function connect(connection: Options<Record<string, never>>): Sql {
  const sql = postgres({ ...connection, max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} });
  cleanUps.push(() => sql.end({ timeout: 0 }));
  return sql;
}

describe.skipIf(programs === undefined)('a PostgreSQL of our own (skipped where that is not installed)', () => {
  test('serves an empty database on a socket, keeps it over a kill, and is gone after stop', async () => {
    const server = await start();
    const sql = connect(server.connection);
    const [row] =
      await sql`SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
      current_setting('listen_addresses') AS addresses, (SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public') AS tables`;
    expect(row).toEqual({
      version: expect.stringContaining(server.version),
      encoding: 'UTF8',
      addresses: '',
      tables: 0,
    });
    await sql`CREATE TABLE kept AS SELECT 1 AS value`;
    await server.kill();
    await expect(sql`SELECT 1`).rejects.toThrow(/.+/);
    await server.restart();
    expect([...(await connect(server.connection)`SELECT value FROM kept`)]).toEqual([{ value: 1 }]);
    expect(await server.readLog()).toContain('immediate shutdown');
    await Promise.all([server.stop(), server.stop()]);
    expect(existsSync(server.connection.host)).toBe(false);
  });

  test('ends when the process that started it is killed', async () => {
    const module = new URL('./index.ts', import.meta.url).href;
    const script = `const { findPostgres, startPostgres } = await import(${JSON.stringify(module)});
      const { connection } = await startPostgres(await findPostgres());
      console.log(connection.host); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--conditions=@tokenhub/source', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUps.push(() => owner.kill('SIGKILL'));
    const [line] = await once(owner.stdout, 'data');
    const host = String(line).trim();
    cleanUps.push(() => rm(host, { recursive: true, force: true }));
    expect(existsSync(`${host}/.s.PGSQL.5432`)).toBe(true);
    owner.kill('SIGKILL');
    for (let wait = 0; existsSync(`${host}/.s.PGSQL.5432`) && wait < 500; wait++) await sleep(20);
    expect(existsSync(`${host}/.s.PGSQL.5432`)).toBe(false);
  });
});

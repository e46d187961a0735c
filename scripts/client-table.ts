import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HELP = `Tries the client libraries with the gateway and writes the tables of docs/clients.md; those of recorded providers only where
there are the recordings.

  node scripts/client-table.ts            writes them; fails when a library fails
  node scripts/client-table.ts --check    fails as well when a table is not what would be written`;
const TESTS = ['apps/gateway/test/clients', 'apps/gateway/test/grid.test.ts'];

const root = fileURLToPath(new URL('..', import.meta.url));
const [argument] = process.argv.slice(2);

if (argument === undefined || argument === '--check') {
  const { status } = spawnSync('vitest', ['run', ...TESTS], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${root}node_modules/.bin:${process.env['PATH'] ?? ''}`,
      UPDATE_TABLE: argument === undefined ? '1' : '',
    },
  });
  process.exitCode = status ?? 1;
} else {
  process.stdout.write(`${HELP}\n`);
  process.exitCode = argument === '--help' ? 0 : 1;
}

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HELP = `Tries the client libraries with the gateway and writes the table of docs/clients.md.

  node scripts/client-table.ts            writes it; fails when a library fails
  node scripts/client-table.ts --check    fails as well when the table is not what would be written`;

const root = fileURLToPath(new URL('..', import.meta.url));
const [argument] = process.argv.slice(2);

if (argument === undefined || argument === '--check') {
  const { status } = spawnSync('vitest', ['run', 'apps/gateway/test/clients'], {
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

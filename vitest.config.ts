import { defineConfig } from 'vitest/config';
import ClosingLine from './scripts/closing-line-reporter.ts';

// Tests run against the sources: the `@tokenhub/source` condition of each package's `exports`.
const conditions = ['@tokenhub/source'];
const exclude = ['**/node_modules/**', '**/dist/**'];
const common = {
  exclude,
  testTimeout: 20_000,
  hookTimeout: 30_000,
  expect: { poll: { timeout: 10_000 } },
};
/** Long leases, silences and heartbeats: these do little but wait. */
const waiting = ['apps/gateway/test/{heartbeat,long-answers,outage}.test.ts', 'e2e/{killed,slow-callers}.test.ts'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    reporters: [process.env['CI'] ? 'default' : 'dot', new ClosingLine()],
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: 'packages',
          include: ['{packages,scripts,bench,apps/accounting}/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Crowds of callers, and whole processes that are killed and frozen: these need the machine for themselves.
        test: {
          ...common,
          name: 'gateways',
          include: ['{apps/gateway,e2e}/**/*.test.ts'],
          exclude: [...exclude, ...waiting],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { ...common, name: 'waiting', include: waiting, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});

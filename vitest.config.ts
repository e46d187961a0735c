import { defineConfig } from 'vitest/config';
import ClosingLine from './scripts/closing-line-reporter.ts';

// Tests run against the sources: the `@tokenhub/source` condition of each package's `exports`.
const conditions = ['@tokenhub/source'];
const common = {
  exclude: ['**/node_modules/**', '**/dist/**'],
  testTimeout: 20_000,
  hookTimeout: 30_000,
};

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
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

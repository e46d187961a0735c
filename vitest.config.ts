import { defineConfig } from 'vitest/config';
import ClosingLine from './scripts/closing-line-reporter.ts';

// Tests run against the sources: the `@tokenhub/source` condition of each package's `exports`.
const conditions = ['@tokenhub/source'];
const test = {
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
          ...test,
          name: 'parts',
          include: ['{packages,apps,scripts,bench}/**/*.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Whole processes, which are mostly waited for.
        test: {
          ...test,
          name: 'whole',
          include: ['e2e/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        // Crowds and what is done to them: these need the machine for themselves.
        test: { ...test, name: 'crowds', include: ['e2e/{chaos,races}/*.test.ts'], sequence: { groupOrder: 2 } },
      },
    ],
  },
});

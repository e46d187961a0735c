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
        // Whole processes, killed, frozen and waited for: most of the time nothing happens here.
        test: { ...test, name: 'whole', include: ['e2e/**/*.test.ts'], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

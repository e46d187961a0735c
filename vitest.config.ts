import { defineConfig } from 'vitest/config';
import ClosingLine from './scripts/closing-line-reporter.ts';

// Tests run against the sources: the `@tokenhub/source` condition of each package's `exports`.
const conditions = ['@tokenhub/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['{packages,apps,scripts,e2e,bench}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: [process.env['CI'] ? 'default' : 'dot', new ClosingLine()],
  },
});

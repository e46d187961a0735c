import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a test run with what people and CI read: a line `failed: FILE > TEST: MESSAGE` for each failure, however long
 * the output above, then the plain line `N passed, N failed[, N skipped]`.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const failures: string[] = [];
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        count[state]++;
        if (state !== 'failed') continue;
        failedTests++;
        failures.push(failureLine(module, test.fullName, errors));
      }
      // A file that could not be loaded, or a hook that failed, fails no test of its own, and is still a failure.
      if (module.state() === 'failed' && failedTests === 0) {
        count.failed++;
        failures.push(failureLine(module, '(no test)', module.errors()));
      }
    }
    const skipped = count.skipped + count.pending;
    console.log('');
    for (const failure of failures) console.log(failure);
    console.log(`${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  }
}

function failureLine(module: TestModule, test: string, errors: readonly { message: string }[]): string {
  const message = errors[0]?.message.split('\n')[0] ?? 'no message';
  return `failed: ${module.relativeModuleId} > ${test}: ${message}`;
}

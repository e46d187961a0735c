import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { OperatorError } from './operator-error.ts';
import { watchConfig } from './watch-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'watch-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Watches a file, and gives what is logged of it. */
function watch(fileName: string, reload: () => void): readonly unknown[] {
  const logged: unknown[] = [];
  watchConfig(fileName, reload, {
    info: (message) => void logged.push(message),
    error: (facts, message) => void logged.push({ ...facts, message }),
  });
  return logged;
}

test('a file that is not there is nothing new; one that comes is read, and so is one that takes its place', async () => {
  const file = join(directory, 'absent.yaml');
  const logged = watch(file, () => {});
  await sleep(2_500);
  expect(logged).toEqual([]);
  writeFileSync(file, 'one');
  await expect.poll(() => logged).toEqual(['configuration reloaded']);
  writeFileSync(`${file}.next`, 'two');
  renameSync(`${file}.next`, file);
  await expect.poll(() => logged).toEqual(['configuration reloaded', 'configuration reloaded']);
});

test('logs why a file is refused: without a stack what an operator can put right, any other error whole', async () => {
  const file = join(directory, 'bad.yaml');
  writeFileSync(file, 'one');
  const fault = new TypeError('a fault of ours');
  const errors = [new OperatorError('bad.yaml:1: models is required'), fault];
  const logged = watch(file, () => {
    throw errors.shift() ?? fault;
  });
  // The first look at a file tells nothing.
  await sleep(1_500);
  const message = 'The configuration stays as it was';
  const refused = { reason: 'bad.yaml:1: models is required', message };
  writeFileSync(file, 'other');
  await expect.poll(() => logged).toEqual([refused]);
  writeFileSync(file, 'another');
  await expect.poll(() => logged).toEqual([refused, { err: fault, message }]);
});

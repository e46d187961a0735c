import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { OperatorError } from './operator-error.ts';
import { readConfig } from './read-config.ts';

test.each([
  ['is not there', '/nowhere/tokenhub.yaml'],
  ['cannot be read (EISDIR)', tmpdir()],
])('a file that %s is told with the variable that names it and a file to begin with', (fault, fileName) => {
  const read = () => readConfig(fileName, {});
  expect(read).toThrow(OperatorError);
  expect(read).toThrow(
    `The configuration file ${fileName} ${fault}. Name another one with TOKENHUB_CONFIG; examples/tokenhub.yaml is one to begin with.`,
  );
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const compose: unknown = parse(readFileSync(new URL('../../../docker/compose.yaml', import.meta.url), 'utf8'), {
  merge: true,
});

test('both apps of the compose file read one configuration, with the variables that it names', () => {
  const file = '/etc/tokenhub/tokenhub.yaml';
  const readsIt = {
    environment: { TOKENHUB_CONFIG: file },
    env_file: [{ path: '../.env', required: false }],
    configs: [{ source: 'tokenhub', target: file }],
  };
  expect(compose).toMatchObject({ services: { gateway: readsIt, accounting: readsIt } });
});

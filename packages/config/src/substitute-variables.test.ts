import { expect, test } from 'vitest';
import { substituteVariables } from './substitute-variables.ts';

const env = { HOST: 'example.com', EMPTY: '', NESTED: '${HOST}' };

test.each([
  ['plain', 'plain', []],
  ['${HOST}', 'example.com', []],
  ['https://${HOST}/${HOST}', 'https://example.com/example.com', []],
  ['${MISSING:-fallback}', 'fallback', []],
  ['${EMPTY:-fallback}', 'fallback', []],
  ['${MISSING:-}', '', []],
  ['${HOST:-fallback}', 'example.com', []],
  ['${MISSING} ${EMPTY}', ' ', ['MISSING', 'EMPTY']],
  ['${NESTED}', '${HOST}', []],
  ['$${HOST}', '${HOST}', []],
  ['$HOST $ {HOST} ${not-a-name}', '$HOST $ {HOST} ${not-a-name}', []],
])('%s becomes %s', (text, expected, missing) => {
  expect(substituteVariables(text, env)).toEqual({ text: expected, missing });
});

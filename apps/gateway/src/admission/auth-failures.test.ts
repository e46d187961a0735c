import { expect, it } from 'vitest';
import { createAuthFailures } from './auth-failures.ts';

let now = 0;
const failuresOf = (): ReturnType<typeof createAuthFailures> => {
  now = 0;
  return createAuthFailures(() => now);
};

it('lets fifty failures a second pass from an address, and says when to come again after more', () => {
  const failures = failuresOf();
  const answers = Array.from({ length: 100 }, () => failures.count('192.0.2.1'));
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(50);
  expect(answers.at(-1)).toMatchObject({ code: 'too_many_auth_failures', retryAfterMs: 1000, facts: { status: 429 } });
  expect(failures.count('192.0.2.2')).toBeUndefined();
  now = 1000;
  expect(failures.count('192.0.2.1')).toBeUndefined();
});

it('takes the 2⁶⁴ addresses of one network for one', () => {
  const failures = failuresOf();
  for (let count = 0; count < 50; count++) failures.count(`2001:db8:0:1::${count.toString(16)}`);
  expect(failures.count('2001:db8:0:1:aaaa:bbbb:cccc:dddd')).toBeDefined();
  expect(failures.count('2001:db8:0:2::1')).toBeUndefined();
  for (let count = 0; count < 50; count++) failures.count('::ffff:192.0.2.7');
  expect(failures.count('::ffff:192.0.2.8')).toBeUndefined();
});

it('remembers a bounded number of addresses', () => {
  const failures = failuresOf();
  for (let count = 0; count < 51; count++) failures.count('192.0.2.1');
  for (let count = 0; count < 9_999; count++) failures.count(`10.0.${count >> 8}.${count & 255}`);
  expect(failures.count('192.0.2.1')).toBeDefined();
  failures.count('198.51.100.1');
  expect(failures.count('192.0.2.1')).toBeUndefined();
});

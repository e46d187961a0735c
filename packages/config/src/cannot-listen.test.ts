import { expect, test } from 'vitest';
import { cannotListen } from './cannot-listen.ts';

test.each([
  ['EADDRINUSE', 'is in use by another program. Stop that, or set GATEWAY_PORT to another port.'],
  ['EACCES', 'cannot be listened on (EACCES). Set GATEWAY_PORT, or the host beside it, to what this machine allows.'],
])('who cannot listen for %s is told what would help', (code, words) => {
  const cause = Object.assign(new Error(`listen ${code}`), { code, syscall: 'listen' });
  const told = cannotListen(cause, { variable: 'GATEWAY_PORT', host: '127.0.0.1', port: 80 });
  expect(told).toMatchObject({ message: `127.0.0.1:80 ${words}`, cause });
});

test('an error of another kind stays what it is', () => {
  const cause = new Error('something else');
  expect(cannotListen(cause, { variable: 'GATEWAY_PORT', host: '127.0.0.1', port: 80 })).toBe(cause);
});

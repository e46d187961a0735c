import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Length } from './utf8-length.ts';

test.each([
  ['', 0],
  ['a\u007F', 2],
  ['\u0080é\u07FF', 6],
  ['\u0800€\uFFFF', 9],
  ['💙👩‍💻', 4 + 4 + 3 + 4],
])('%j is %i bytes', (text, bytes) => {
  expect(utf8Length(text)).toBe(bytes);
});

test('any text is as long as its encoding', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteText } from './quote-text.ts';

test.each([
  '',
  ' time',
  'é€豆',
  '\u007F\u2028\uD7FF\uE000',
  '"',
  '\\',
  '\n',
  '\u001F',
  '💙',
  '\uD83D',
  '\uDC99',
  'x'.repeat(65),
])('%j is quoted as JSON.stringify does it', (text) => {
  expect(quoteText(text)).toBe(JSON.stringify(text));
});

test('so is any text, whole characters or not', () => {
  const text = fc.array(fc.nat({ max: 0xffff })).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ maxLength: 200 })), (any) => {
      expect(quoteText(any)).toBe(JSON.stringify(any));
    }),
  );
});

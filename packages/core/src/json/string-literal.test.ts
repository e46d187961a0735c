import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findClosingQuote, readStringContent } from './string-literal.ts';

test('finds and reads any string that JSON.stringify writes', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'u', 'é', '💙') }),
  );
  fc.assert(
    fc.property(text, (any) => {
      const literal = JSON.stringify(any);
      const end = findClosingQuote(`${literal},"b"`, 1);
      expect(end).toBe(literal.length - 1);
      expect(readStringContent(literal, 1, end)).toBe(any);
    }),
  );
});

test.each([
  ['without a closing quote', 'abc'],
  ['whose only quote is escaped', 'a\\"'],
  ['cut in an escape', 'a\\'],
  ['with a tab', 'a\tb"'],
  ['that is empty', ''],
])('a string %s has no end', (_, json) => {
  expect(findClosingQuote(json, 0)).toBe(-1);
});

test.each(['\\x', '\\u12', '\\u12G4'])('%s is no text', (content) => {
  expect(readStringContent(content, 0, content.length)).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import { parseExactJsonObject, parseJsonObject } from './parse-json-object.ts';

describe.each([parseJsonObject, parseExactJsonObject])('%o', (parse) => {
  test('gives the object, and nothing for any other text', () => {
    expect(parse('{"a":[1,{"b":null}]}')).toEqual({ a: [1, { b: null }] });
    for (const text of ['', '[1]', 'null', '{"a":1', '{"a":12345678901234567890', '[12345678901234567890]', '7']) {
      expect(parse(text), text).toBeUndefined();
    }
  });
});

describe('parseExactJsonObject', () => {
  test.each([
    '{"a":12345678901234567890}',
    '{"a":-9007199254740993,"b":[18446744073709551615,[1,9007199254740993]],"c":{"d":9007199254740993}}',
    '{"a":": 12345678901234567890","b":0.5,"c":9007199254740991}',
    '{"a":1234567890123456}',
  ])('keeps the digits of %s', (text) => {
    expect(JSON.stringify(parseExactJsonObject(text))).toBe(text);
  });

  test('leaves the numbers alone that a double holds', () => {
    expect(parseExactJsonObject('{"a":9007199254740991,"b":[12345678901234567890]}')?.['a']).toBe(9007199254740991);
  });

  test('finds a long number behind any white space', () => {
    const text = '{"a":\n\t 12345678901234567890, "b": [\r\n-12345678901234567890]}';
    expect(JSON.stringify(parseExactJsonObject(text))).toBe('{"a":12345678901234567890,"b":[-12345678901234567890]}');
  });
});

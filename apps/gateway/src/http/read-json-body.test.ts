import { describe, expect, it } from 'vitest';
import { readJsonBody } from './read-json-body.ts';

const read = (text: string): unknown => readJsonBody(Buffer.from(text));
const refusal = (bytes: Buffer): string => {
  try {
    readJsonBody(bytes);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'accepted';
};

describe('readJsonBody', () => {
  it('reads an object, skipping a byte order mark and letting the last of repeated members count', () => {
    expect(read('\u{feff}{"a":1,"a":2}')).toEqual({ a: 2 });
  });

  it.each([
    ['an empty body', '', 'invalid_json'],
    ['a truncated object', '{"a":', 'invalid_json'],
    ['trailing garbage', '{} x', 'invalid_json'],
    ['a NaN literal', '{"a":NaN}', 'invalid_json'],
    ['an array', '[]', 'invalid_request'],
    ['null', 'null', 'invalid_request'],
    ['a string', '"x"', 'invalid_request'],
    ['__proto__', '{"a":{"__proto__":{}}}', 'invalid_json'],
    ['an escaped __proto__', '{"\\u005f\\u005fproto__":1}', 'invalid_json'],
    ['constructor.prototype', '{"constructor":{"prototype":{}}}', 'invalid_json'],
    ['a number beyond every double', '{"temperature":1e400}', 'invalid_parameter'],
    ['an integer that loses digits', '{"seed":9007199254740993}', 'invalid_parameter'],
    ['nesting of 65 levels', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'json_too_deep'],
    ['nesting of 100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), 'json_too_deep'],
  ])('refuses %s', (_name, text, code) => {
    expect(refusal(Buffer.from(text))).toBe(code);
  });

  it('accepts nesting of 64 levels and the largest safe integer', () => {
    expect(refusal(Buffer.from(`${'{"a":'.repeat(64)}9007199254740991${'}'.repeat(64)}`))).toBe('accepted');
  });

  it('refuses invalid and overlong UTF-8 instead of replacing it', () => {
    expect(refusal(Buffer.from([0x7b, 0xff, 0x7d]))).toBe('invalid_utf8');
    expect(refusal(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toBe('invalid_utf8');
  });

  it('names the path of a number it refuses', () => {
    expect(() => read('{"messages":[{"n":1e999}]}')).toThrow('"messages[0].n"');
  });
});

import { describe, expect, test } from 'vitest';
import { cut, editText, setMember } from './edit-json.ts';
import { elementsOf, endOfValue, extentWithComma, findMember } from './scan-json.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The text of the member's value. */
function find(text: string, name: string): string | undefined {
  const json = bytesOf(text);
  const member = findMember(json, text.indexOf('{'), name);
  return member && textOf(json.subarray(member.valueStart, member.end));
}

describe('the end of a value', () => {
  test.each(['{}', '[]', '"a\\"}"', '{"a":[{"b":"]}"}],"c":{}}', '-1.5e3', 'null', 'true', '"\\\\"', '[["[\\\\\\""]]'])(
    'is found behind %s',
    (value) => {
      for (const after of ['', ',', '}', ' ', '\n]']) {
        const json = bytesOf(`  ${value}${after}`);
        expect(textOf(json.subarray(2, endOfValue(json, 2)))).toBe(value);
      }
    },
  );

  test.each(['{"a', '["a', '"a\\', '{', '[[', '{"a":'])('is at the latest the end of the text: %s', (cutShort) => {
    expect(endOfValue(bytesOf(cutShort), 0)).toBeLessThanOrEqual(cutShort.length);
  });
});

describe('the elements of an array', () => {
  test.each([
    ['[]', []],
    ['[ ]', []],
    ['[1]', ['1']],
    ['[ {"a":[1,2]} ,"],", [3]\n, null ]', ['{"a":[1,2]}', '"],"', '[3]', 'null']],
  ])('of %s are found', (text, expected) => {
    const json = bytesOf(text);
    expect([...elementsOf(json, 0)].map((at) => textOf(json.subarray(at, endOfValue(json, at))))).toEqual(expected);
  });

  test.each(['[', '[1', '[1,', '[,', '[,,', '["a', '[}'])('are at an end where the text is cut short: %s', (text) => {
    expect([...elementsOf(bytesOf(text), 0)].length).toBeLessThan(5);
  });
});

describe('a member', () => {
  test.each([
    ['{"a":1,"b":{"a":2}}', 'a', '1'],
    ['{"b":{"a":2},"a":3}', 'a', '3'],
    ['{ "ä" : [ "a" ] , "a" :\n"x" }', 'a', '"x"'],
    ['{"a":1,"a":2}', 'a', '2'],
    ['{"b":"\\"a\\":1"}', 'a', undefined],
    ['{"aa":1}', 'a', undefined],
    ['{}', 'a', undefined],
  ])('of %s called %s is %s', (text, name, expected) => {
    expect(find(text, name)).toBe(expected);
  });

  test('is looked for only in its own object, and the search ends on text that is no JSON', () => {
    expect(find('[{"b":1},{"a":1}]', 'a')).toBeUndefined();
    for (const text of ['{"a', '{"a"', '{"a":', '{"a":1,', '{"b" "a":1}', '{,}', '{"b"}']) {
      expect(() => find(text, 'a')).not.toThrow();
    }
  });

  test.each([
    ['{"a":1}', '{}'],
    ['{"a":1,"b":2}', '{"b":2}'],
    ['{"b":2,"a":1}', '{"b":2}'],
    ['{"b":2, "a" : 1 , "c":3}', '{"b":2 , "c":3}'],
    ['{ "a": 1 , "c":3}', '{ "c":3}'],
  ])('is taken out of %s with one comma', (text, expected) => {
    const json = bytesOf(text);
    const member = findMember(json, 0, 'a');
    expect(member && textOf(cut(json, extentWithComma(json, member)))).toBe(expected);
  });

  test.each([
    ['{}', '{"a":[9]}'],
    ['{ \n}', '{"a":[9] \n}'],
    ['{"b":2 }', '{"b":2,"a":[9] }'],
    ['{"a":{"a":1},"b":2}', '{"a":[9],"b":2}'],
    [' {"ü":"ü"} ', ' {"ü":"ü","a":[9]} '],
  ])('is set in %s', (text, expected) => {
    expect(editText(text, (json, start) => setMember(json, start, { name: 'a', value: '[9]' }))).toBe(expected);
  });
});

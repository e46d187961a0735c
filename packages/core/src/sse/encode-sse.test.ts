import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeComment, encodeEvent } from './encode-sse.ts';
import { createSseParser } from './parse-sse.ts';

describe('encodeEvent', () => {
  test.each([
    [{ data: '{"a":1}' }, 'data: {"a":1}\n\n'],
    [{ event: 'error', data: '{}' }, 'event: error\ndata: {}\n\n'],
    [{ data: '' }, 'data: \n\n'],
    [{ data: ' a' }, 'data:  a\n\n'],
    [{ data: 'a\nb\r\nc\rd' }, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
    [{ data: 'a\n' }, 'data: a\ndata: \n\n'],
    [{ data: 'a\n\nevent: b' }, 'data: a\ndata: \ndata: event: b\n\n'],
  ])('%j', (event, text) => {
    expect(encodeEvent(event)).toBe(text);
  });

  test.each(['a\nb', 'a\rb'])('refuses a name of two lines: %j', (event) => {
    expect(() => encodeEvent({ event, data: '' })).toThrow(TypeError);
  });

  test('a parser gets back one event with the same data, line ends made LF', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '\r', '💙') });
    fc.assert(
      fc.property(text, (data) => {
        const heard: string[] = [];
        const parser = createSseParser({ onEvent: (event) => heard.push(event.data) });
        parser.push(new TextEncoder().encode(encodeEvent({ data })));
        expect(heard).toEqual([data.replaceAll(/\r\n?/g, '\n')]);
      }),
    );
  });
});

test('a comment stays a comment on every line of its text', () => {
  expect(encodeComment('keep-alive')).toBe(': keep-alive\n\n');
  expect(encodeComment('a\r\n\ndata: b')).toBe(': a\n: \n: data: b\n\n');
});

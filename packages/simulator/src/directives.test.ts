import { expect, it } from 'vitest';
import { DirectiveError, directivesIn, layDirectives, parseDirectives } from './directives.ts';

it('reads pairs parted by spaces or commas, the later one wins', () => {
  expect(parseDirectives('tokens=3, pace=0 tokens=4')).toEqual({ tokens: 4, paceMs: 0 });
  expect(parseDirectives('fault=status=503 retry-after=1')).toEqual({ status: 503, retryAfter: '1' });
  expect(parseDirectives('')).toEqual({});
});

it('lays some over others, a fault with all that belongs to it', () => {
  const base = parseDirectives('tokens=9 status=429 retry-after=120 times=1');
  expect(layDirectives(base, parseDirectives('tokens=3'))).toEqual({ ...base, tokens: 3 });
  expect(layDirectives(base, parseDirectives('fault=reset every=2'))).toEqual({ tokens: 9, fault: 'reset', every: 2 });
  expect(layDirectives({ times: 1 }, { status: 500 })).toEqual({ times: 1, status: 500 });
});

it('finds them in a message', () => {
  expect(directivesIn('Please [simulate tokens=3 fault=reset] count.')).toBe('tokens=3 fault=reset');
  expect(directivesIn('Please simulate nothing.')).toBe('');
});

it.each(['tokns=3', 'tokens', 'tokens=-1', 'fault=explode', 'status=200', 'usage=some', '__proto__=1'])(
  'refuses %s',
  (text) => {
    expect(() => parseDirectives(text)).toThrow(DirectiveError);
  },
);

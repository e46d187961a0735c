import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../chat/json.ts';
import type { StreamPart } from '../chat/stream-part.ts';
import type { Dialect } from '../dialects/dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { arbitraryStream } from './__fixtures__/arbitrary-stream.ts';
import { DIALECT_PAIRS, involves } from './__fixtures__/dialect-pairs.ts';
import {
  expected,
  IDENTITY,
  receiptFor,
  summarise,
  withoutNames,
  withPooledThoughts,
  withValues,
  type Summary,
} from './__fixtures__/summarise-parts.ts';

const RUNS = { numRuns: 200 };

function cross(dialect: Dialect, parts: readonly StreamPart[]): StreamPart[] {
  const answer: JsonObject = JSON.parse(dialect.writeAnswer(parts, IDENTITY, receiptFor(parts)));
  return dialect.readAnswer(answer);
}

describe.each(DIALECT_PAIRS)('a whole answer from $name', (pair) => {
  const known = (summary: Summary): Summary => {
    const named = involves(pair, 'responses') ? withoutNames(summary) : summary;
    return withValues(involves(pair, 'openai') ? withPooledThoughts(named) : named);
  };

  test('says the same', () => {
    const property = fc.property(arbitraryStream, (parts) => {
      const read = cross(pair.to, cross(pair.from, parts));
      expect(known(summarise(read))).toEqual(known(expected(parts, pair)));
    });
    fc.assert(property, RUNS);
  });
});

test('a whole chat completion keeps each signature with its own text', () => {
  const parts: StreamPart[] = [
    { type: 'reasoning-delta', choice: 0, text: 'One' },
    { type: 'reasoning-signature', choice: 0, signature: 'aaaa' },
    { type: 'reasoning-delta', choice: 0, text: 'Two' },
    { type: 'reasoning-signature', choice: 0, signature: 'bbbb' },
    { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
  ];
  expect(summarise(cross(openaiDialect, parts)).thoughts).toEqual(summarise(parts).thoughts);
});

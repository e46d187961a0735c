import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../chat/stream-part.ts';
import { createTranslator } from '../completion/translate.ts';
import { responsesDialect } from '../dialects/responses/responses-dialect.ts';
import { arbitraryCuts, arbitraryStream } from './__fixtures__/arbitrary-stream.ts';
import { checkAnthropicEvents } from './__fixtures__/check-anthropic-events.ts';
import { checkResponsesEvents } from './__fixtures__/check-responses-events.ts';
import { DIALECT_PAIRS, involves, type DialectPair } from './__fixtures__/dialect-pairs.ts';
import { chunk, readStream } from './__fixtures__/parse-events.ts';
import {
  expected,
  IDENTITY,
  OPTIONS,
  receiptFor,
  summarise,
  withoutNames,
  writeStream,
  type Summary,
} from './__fixtures__/summarise-parts.ts';

const RUNS = { numRuns: 200 };
const decoder = new TextDecoder();

/** The caller's stream for a provider's that came in these chunks. */
function translate(pair: DialectPair, chunks: readonly Uint8Array[]): string {
  const converter = createTranslator(pair, IDENTITY, OPTIONS);
  let stream = '';
  for (const bytes of chunks) {
    const piece = converter.push(bytes);
    stream += typeof piece === 'string' ? piece : decoder.decode(piece);
  }
  const { started, finished, terminated, error, usage } = converter.facts;
  expect({ started, finished, terminated, error }).toEqual({ started: true, finished: true, terminated: true });
  const known: StreamPart[] = usage === undefined ? [] : [{ type: 'usage', usage }];
  return stream + converter.end(receiptFor(known));
}

describe.each(DIALECT_PAIRS)('a stream from $name', (pair) => {
  test('says the same however it is cut, in well-formed events', () => {
    const property = fc.property(arbitraryStream, arbitraryCuts, (parts, cuts) => {
      const stream = translate(pair, chunk(writeStream(pair.from, parts), cuts));
      const read = readStream(pair.to, stream);
      const named = (summary: Summary): Summary => (involves(pair, 'responses') ? withoutNames(summary) : summary);
      expect(named(summarise(read))).toEqual(named(expected(parts, pair)));
      expect(summarise(read).redacted).toEqual(summarise(parts).redacted);
      expect(read.at(-1)).toEqual({ type: 'done' });
      if (pair.to.name === 'anthropic') checkAnthropicEvents(stream);
      if (pair.to.name === 'responses') checkResponsesEvents(stream);
    });
    fc.assert(property, RUNS);
  });
});

// The text of the thought has opened its item under a name of our own before the signature says the provider's; OpenAI
// refuses encrypted content that comes back under another name, and takes it without one.
test('a response forgets the name of a signed thought that has a text', () => {
  const parts: StreamPart[] = [
    { type: 'reasoning-delta', choice: 0, text: 'Hm' },
    { type: 'reasoning-signature', choice: 0, signature: 'abcd', format: 'openai', id: 'rs_1' },
    { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
  ];
  const read = readStream(responsesDialect, writeStream(responsesDialect, parts));
  expect(read).toContainEqual({ type: 'reasoning-signature', choice: 0, signature: 'abcd', format: 'openai' });
});

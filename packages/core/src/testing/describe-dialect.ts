import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../chat/json.ts';
import type { StreamPart } from '../chat/stream-part.ts';
import { createRelay } from '../completion/relay.ts';
import { createTranslator } from '../completion/translate.ts';
import type { StreamConverter } from '../completion/stream-converter.ts';
import type { Receipt } from '../cost/receipt.ts';
import type { Dialect, StreamFacts } from '../dialects/dialect.ts';
import { GatewayError } from '../errors.ts';
import { createSseParser } from '../sse/parse-sse.ts';

/** A stream as a provider of the dialect sends it: whole, or ended by the provider's own error event. */
export interface DialectFixture {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const RECEIPT: Receipt = {
  counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: {
    total: 1_200_000n,
    input: 300_000n,
    output: 900_000n,
    byKind: { input: 300_000n, cached: 0n, cacheWrite: 0n, output: 900_000n, reasoning: 0n },
  },
  estimated: false,
};
const OPTIONS = { includeUsage: true, choices: 1, price: () => RECEIPT };
const IDENTITY = { requestId: 'req-1', model: 'model-1', created: 1_700_000_000 };
const CHUNK_SIZES = [1, 2, 3, 17, 256];

/**
 * Registers the tests that every dialect must pass, on its own recorded or hand-written streams. At least one of them
 * should end well, and one with an error.
 */
export function describeDialect(dialect: Dialect, fixtures: readonly DialectFixture[]): void {
  const relay = (): StreamConverter => createRelay(dialect, OPTIONS);
  const rewrite = (): StreamConverter => createTranslator({ from: dialect, to: dialect }, IDENTITY, OPTIONS);

  describe(`the dialect ${dialect.name}`, () => {
    describe.each(fixtures)('on $name', ({ bytes }) => {
      test('relays the same bytes and facts however the stream is split', () => {
        const whole = run(relay(), bytes);
        for (const size of CHUNK_SIZES) expect(run(relay(), bytes, size)).toEqual(whole);
      });

      test('reads and writes the same events however the stream is split', () => {
        const whole = run(rewrite(), bytes);
        for (const size of CHUNK_SIZES) expect(run(rewrite(), bytes, size)).toEqual(whole);
      });

      test('its meter and its reader agree on what the stream says', () => {
        const { facts } = run(relay(), bytes);
        expect(facts).toEqual(run(rewrite(), bytes).facts);
        expect(facts.started).toBe(true);
        expect(facts.finished || facts.error !== undefined).toBe(true);
      });

      test('its reader understands its writer', () => {
        const { facts, output, end } = run(rewrite(), bytes);
        const parts = readParts(dialect, bytes);
        const again = readParts(dialect, encode(output + (facts.finished ? end : '')));
        expect(summarise(again)).toEqual(summarise(parts));
        expect(again.some(({ type }) => type === 'done')).toBe(facts.finished);
      });

      test('a whole answer says what the stream says', () => {
        const parts = readParts(dialect, bytes).filter(({ type }) => type !== 'error');
        const answer: JsonObject = JSON.parse(dialect.writeAnswer(parts, IDENTITY, RECEIPT));
        expect(summarise(dialect.readAnswer(answer))).toMatchObject(summarise(parts));
      });

      test('its own error event ends the stream, and what follows stays here', () => {
        const broken = encode(dialect.writeStreamError(new GatewayError('upstream_error', 'It failed.'), 'req-1'));
        for (const create of [relay, rewrite]) {
          const converter = create();
          expect(converter.push(broken)).toHaveLength(0);
          expect(converter.facts.error).toBeInstanceOf(GatewayError);
          expect(converter.push(bytes)).toHaveLength(0);
          expect(converter.facts.started).toBe(false);
        }
      });

      test('its terminator ends the stream, and what follows stays here', () => {
        for (const create of [relay, rewrite]) {
          const converter = create();
          expect(converter.push(encode(dialect.terminator))).toHaveLength(0);
          expect(converter.facts.terminated).toBe(true);
          expect(converter.push(bytes)).toHaveLength(0);
        }
      });
    });
  });
}

interface Run {
  readonly output: string;
  readonly end: string;
  readonly facts: Omit<StreamFacts, 'error' | 'countedTokens'> & { readonly error: string | undefined };
}

/** Sends a stream through a converter in chunks of this size. */
function run(converter: StreamConverter, stream: Uint8Array, size = stream.length): Run {
  const decoder = new TextDecoder();
  let output = '';
  for (let at = 0; at < stream.length; at += size) {
    const piece = converter.push(stream.subarray(at, at + size));
    output += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  }
  const { started, finished, terminated, finishReason, usage, error } = converter.facts;
  const facts = { started, finished, terminated, finishReason, usage, error: error?.code };
  return { output, end: converter.end(RECEIPT), facts };
}

function readParts(dialect: Dialect, stream: Uint8Array): StreamPart[] {
  const parts: StreamPart[] = [];
  const reader = dialect.createStreamReader();
  const onEvent = (event: { readonly event: string; readonly data: string }): void =>
    reader.read(event.event, event.data, (part) => parts.push(part));
  createSseParser({ onEvent }).push(stream);
  return parts;
}

/** All that was said, by kind of part, choice and tool call; where one delta ends and the next begins is lost. */
function summarise(parts: readonly StreamPart[]): Readonly<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const part of parts) {
    const words = wordsOf(part);
    if (words === '' || !('choice' in part)) continue;
    const key = `${part.type} ${part.choice} ${'index' in part ? part.index : ''}`;
    said[key] = (said[key] ?? '') + words;
  }
  return said;
}

function wordsOf(part: StreamPart): string {
  if ('text' in part) return part.text;
  if ('signature' in part) return part.signature;
  if ('data' in part) return part.data;
  // Arguments are JSON, in which white space means nothing.
  if ('arguments' in part) return (part.id ?? '') + (part.name ?? '') + part.arguments.replaceAll(/\s/g, '');
  return part.type === 'finish' ? part.reason.unified : '';
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

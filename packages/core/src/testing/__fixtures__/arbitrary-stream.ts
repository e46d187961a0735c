import * as fc from 'fast-check';
import type { FinishReason, StreamPart } from '../../chat/stream-part.ts';
import type { ReportedUsage } from '../../chat/usage.ts';
import { jsonObject, someText, toolName } from './arbitrary-text.ts';

type ToolCallDelta = StreamPart & { readonly type: 'tool-call-delta' };

const signature = fc.stringMatching(/^[A-Za-z0-9+/]{4,24}={0,2}$/);
const openaiOrigin = fc
  .stringMatching(/^[0-9a-f]{8}$/)
  .map((hex) => ({ format: 'openai' as const, id: `rs_${hex}` }));
/** Of a provider whose models are reached through OpenRouter. */
const otherOrigin = fc.constantFrom(
  { format: 'google-gemini-v1', id: 'tool_0_f.g%2E' },
  { format: 'xai-responses-v1.5', id: 'rs_0a-1b' },
  { format: 'unknown' },
);
const origin = fc.oneof(fc.constant({}), openaiOrigin, otherOrigin);
const texts = fc.array(someText, { minLength: 1, maxLength: 4 });

const textRun: fc.Arbitrary<StreamPart[]> = texts.map((list) =>
  list.map((text) => ({ type: 'text-delta', choice: 0, text })),
);

const reasoningRun: fc.Arbitrary<StreamPart[]> = fc
  .tuple(texts, fc.option(fc.tuple(signature, origin)))
  .map(([list, proof]) => {
    const deltas = list.map((text): StreamPart => ({ type: 'reasoning-delta', choice: 0, text }));
    if (proof === null) return deltas;
    return [...deltas, { type: 'reasoning-signature', choice: 0, signature: proof[0], ...proof[1] }];
  });

/** Anthropic may sign thoughts that it does not show. */
const hiddenReasoning: fc.Arbitrary<StreamPart[]> = signature.map((text) => [
  { type: 'reasoning-signature', choice: 0, signature: text },
]);

const redactedRun: fc.Arbitrary<StreamPart[]> = fc
  .tuple(signature, origin)
  .map(([data, about]) => [{ type: 'redacted-reasoning', choice: 0, data, ...about }]);

const refusalRun: fc.Arbitrary<StreamPart[]> = texts.map((list) =>
  list.map((text) => ({ type: 'refusal-delta', choice: 0, text })),
);

/** The deltas of one call: the first has id and name, and the arguments are cut anywhere. */
const callDeltas: fc.Arbitrary<Omit<ToolCallDelta, 'index'>[]> = fc
  .record({ id: someText, name: toolName, input: jsonObject, indent: fc.nat(2), cuts: fc.array(fc.nat(), { maxLength: 4 }) })
  .map(({ id, name, input, indent, cuts }) => {
    const text = JSON.stringify(input, undefined, indent);
    const [first = '', ...others] = cut(text, cuts);
    const call = { type: 'tool-call-delta', choice: 0 } as const;
    return [{ ...call, id, name, arguments: first }, ...others.map((piece) => ({ ...call, arguments: piece }))];
  });

/** Parallel calls, whose deltas come mixed; each begins after the one before it. */
const callRun: fc.Arbitrary<StreamPart[]> = fc
  .tuple(fc.array(callDeltas, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }))
  .map(([calls, picks]) => mix(calls, picks));

function mix(calls: readonly Omit<ToolCallDelta, 'index'>[][], picks: readonly number[]): StreamPart[] {
  const mixed: StreamPart[] = [];
  const left = calls.map((deltas, index) => deltas.map((delta) => ({ ...delta, index, ...(delta.id !== undefined && { id: `${delta.id}${index}` }) })));
  let begun = 0;
  for (;;) {
    const ready = left.filter((deltas, index) => deltas.length > 0 && index <= begun);
    const pick = ready[(picks[mixed.length % picks.length] ?? 0) % ready.length];
    const delta = pick?.shift();
    if (delta === undefined) return mixed;
    if (delta.id !== undefined) begun++;
    mixed.push(delta);
  }
}

/** A text cut at these places, in which some pieces may be empty. */
function cut(text: string, places: readonly number[]): string[] {
  const sorted = places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b);
  return [0, ...sorted].map((start, i) => text.slice(start, sorted[i] ?? text.length));
}

const count = fc.nat(100_000);

const usage: fc.Arbitrary<ReportedUsage> = fc
  .record({ fresh: count, cachedTokens: count, cacheWriteTokens: count, said: count, reasoningTokens: count })
  .map(({ fresh, said, ...parts }) => ({
    ...parts,
    promptTokens: fresh + parts.cachedTokens + parts.cacheWriteTokens,
    completionTokens: said + parts.reasoningTokens,
  }));

const lead = fc.array(
  fc.oneof({ arbitrary: textRun, weight: 2 }, { arbitrary: reasoningRun, weight: 2 }, hiddenReasoning, redactedRun),
  { maxLength: 5 },
);

/** What comes after: a refusal, or calls and perhaps a text, or nothing. */
const tail = fc.oneof(
  fc.constant<StreamPart[]>([]),
  refusalRun,
  fc.tuple(callRun, fc.oneof(fc.constant<StreamPart[]>([]), textRun)).map((runs) => runs.flat()),
);

/** A whole stream of one choice as a provider sends it. */
export const arbitraryStream: fc.Arbitrary<StreamPart[]> = fc
  .record({ lead, tail, usage, ending: fc.constantFrom('stop', 'length', 'content_filter') })
  .map(({ lead: runs, tail: last, usage: reported, ending }) => {
    const calls = last.some(({ type }) => type === 'tool-call-delta');
    const word: FinishReason['unified'] = calls && ending === 'stop' ? 'tool_calls' : ending;
    return [
      { type: 'start', id: 'answer-1', model: 'model-1', created: 1_700_000_000 },
      ...runs.flat(),
      ...last,
      { type: 'usage', usage: reported },
      { type: 'finish', choice: 0, reason: { unified: word, raw: word } },
      { type: 'done' },
    ];
  });

/** Where a stream is cut into chunks. */
export const arbitraryCuts: fc.Arbitrary<number[]> = fc.array(fc.nat(), { maxLength: 12 });

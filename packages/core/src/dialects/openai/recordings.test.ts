import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import type { Receipt } from '../../cost/receipt.ts';
import { accumulate, readParts, splitEvents } from './__fixtures__/accumulate.ts';
import { openaiDialect } from './openai-dialect.ts';

const WIRE = resolve(import.meta.dirname, '../../../../../../shared/wire');

interface Recording {
  readonly dialect?: string;
  readonly status: number;
  readonly response_headers: Record<string, string>;
  readonly expected: {
    readonly text: string;
    readonly reasoning: string;
    readonly refusal?: string;
    readonly tool_calls: { index: number; id: string | null; name: string; arguments: string }[];
    readonly choices?: readonly { index: number; text: string; finish_reason: string }[];
    readonly finish_reason: string | null;
    readonly usage: Record<string, number | null> | null;
    readonly usage_as_sent?: Record<string, number>;
    readonly error: object | null;
    readonly done_marker: boolean;
    /** Of an error answer. */
    readonly message?: string | null;
    readonly sse: { readonly undispatched_data: string | null };
  };
}

function recordings(pattern: string, ending: string): { name: string; bytes: Uint8Array; recording: Recording }[] {
  return globSync(pattern, { cwd: WIRE })
    .toSorted()
    .map((name) => {
      const recording: Recording = JSON.parse(readFileSync(join(WIRE, name), 'utf8'));
      return { name, recording, bytes: readFileSync(join(WIRE, name.replace(/json$/, ending))) };
    })
    .filter(({ name, recording }) => name.includes('/errors/') || recording.dialect === 'openai-chat');
}

const isPresent = existsSync(WIRE);
const streams = isPresent ? recordings('*/*.json', 'sse') : [];
const answers = isPresent ? recordings('*/nonstream/*.json', 'body') : [];
const errors = isPresent ? recordings('*/errors/*.json', 'body') : [];

const RECEIPT: Receipt = {
  counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: plainCost(300_000n, 900_000n),
  estimated: false,
};

/** The counts that must be read; xAI's completion tokens are to include its reasoning. */
function expectUsage(usage: object | undefined, { usage: expected, usage_as_sent: sent }: Recording['expected']): void {
  if (expected === null) {
    expect(usage).toBeUndefined();
    return;
  }
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = expected;
  const reasoning = expected['reasoning_tokens'] ?? undefined;
  const leftOut = Number(total) - Number(prompt) - Number(completion);
  expect(usage).toMatchObject({
    promptTokens: prompt,
    completionTokens: Number(completion) + (reasoning !== undefined && leftOut === reasoning ? reasoning : 0),
    cachedTokens: expected['cached_tokens'] ?? sent?.['cached_tokens'],
    reasoningTokens: reasoning,
  });
}

describe.skipIf(!isPresent)('recorded streams (skipped where ../shared/wire is not there)', () => {
  test.each(streams)('$name reads as a client would read it', ({ bytes, recording: { expected } }) => {
    const read = accumulate(readParts(bytes));
    const first = read.choices.get(0);
    expect(first?.text ?? '').toBe(expected.text);
    expect(first?.reasoning ?? '').toBe(expected.reasoning);
    expect(first?.refusal ?? '').toBe(expected.refusal ?? '');
    expect(first?.toolCalls ?? []).toEqual(expected.tool_calls);
    expect(first?.finishReason ?? null).toBe(expected.finish_reason);
    for (const choice of expected.choices ?? []) {
      expect(read.choices.get(choice.index)).toMatchObject({ text: choice.text, finishReason: choice.finish_reason });
    }
    expect(read.errors.length > 0).toBe(expected.error !== null);
    expect(read.done).toBe(expected.done_marker);
    expectUsage(read.usage, expected);
  });

  test.each(streams)('$name is relayed as it is but for usage nobody asked for', ({ bytes, recording }) => {
    const { expected } = recording;
    const choices = expected.choices?.length ?? 1;
    const meter = openaiDialect.createMeter({ includeUsage: false, choices, price: () => RECEIPT });
    for (const event of splitEvents(bytes)) {
      // Inside a larger array, to catch offsets that are taken from its beginning.
      const padded = new Uint8Array(event.length + 20);
      padded.set(event, 7);
      const verdict = meter.read(padded, 7, 7 + event.length);
      const data = dataOf(event);
      if (verdict === 'error') {
        expect(data).toContain('"error"');
        break;
      }
      expect(verdict).toBe(expectedVerdict(data));
      if (verdict === 'rewrite') {
        const { usage, ...rest } = JSON.parse(data ?? '');
        expect(usage).toBeNull();
        expect(JSON.parse(dataOf(meter.rewritten) ?? '')).toEqual(rest);
        expect(JSON.stringify(JSON.parse(dataOf(meter.rewritten) ?? ''))).toBe(JSON.stringify(rest));
      }
    }
    expect(meter.error !== undefined).toBe(expected.error !== null);
    expect(meter.finishReason?.raw ?? null).toBe(expected.finish_reason);
    expect(meter.finished).toBe(expected.finish_reason !== null);
    expect(meter.terminated).toBe(
      meter.error === undefined && (expected.done_marker || expected.sse.undispatched_data === '[DONE]'),
    );
    expectUsage(meter.usage, expected);
    if (meter.usage?.completionTokens === undefined || meter.error !== undefined) return;
    // Our own count is a rough one, but within an order of magnitude: encrypted reasoning is nowhere in the text.
    const visible = Math.max(1, meter.usage.completionTokens - (meter.usage.reasoningTokens ?? 0));
    expect(meter.countedTokens).toBeLessThan(10 * (visible + 50));
  });

  test.each(streams)('$name shows the exact cost in its last usage to a caller who asked', ({ bytes, recording }) => {
    const { expected } = recording;
    const choices = expected.choices?.length ?? 1;
    const meter = openaiDialect.createMeter({ includeUsage: true, choices, price: () => RECEIPT });
    let last: { usage?: { cost?: unknown } } | undefined;
    for (const event of splitEvents(bytes)) {
      const verdict = meter.read(event, 0, event.length);
      if (verdict === 'error') return;
      if (verdict === 'done') break;
      const data = dataOf(verdict === 'rewrite' ? meter.rewritten : event);
      if (data === undefined) continue;
      const chunk: { usage?: { cost?: unknown } } = JSON.parse(data);
      if (chunk.usage) last = chunk;
      if (verdict === 'rewrite') expect(data).toMatch(/"cost": ?0\.0012[,}]/);
    }
    if (last !== undefined) expect(last.usage?.cost).toBe(0.0012);
  });
});

function dataOf(event: Uint8Array): string | undefined {
  return /^data: ?(.*?)\r?$/m.exec(new TextDecoder().decode(event))?.[1];
}

function expectedVerdict(data: string | undefined): string {
  if (data === undefined) return 'pass';
  if (data === '[DONE]') return 'done';
  const chunk: { choices?: unknown[]; usage?: object | null } = JSON.parse(data);
  if (chunk.usage === null) return 'rewrite';
  return chunk.usage !== undefined && chunk.choices?.length === 0 ? 'drop' : 'pass';
}

describe.skipIf(!isPresent)('recorded answers (skipped where ../shared/wire is not there)', () => {
  test.each(answers)('$name reads as a client would read it', ({ bytes, recording: { expected } }) => {
    const answer = new TextDecoder().decode(bytes);
    const read = accumulate(openaiDialect.readAnswer(JSON.parse(answer)));
    const first = read.choices.get(0);
    expect(first?.text).toBe(expected.text);
    expect(first?.reasoning).toBe(expected.reasoning);
    expect(first?.toolCalls).toEqual(expected.tool_calls);
    expect(first?.finishReason).toBe(expected.finish_reason);
    expectUsage(read.usage, expected);

    const patched = openaiDialect.patchAnswer(answer, RECEIPT);
    const { cost, ...usage } = JSON.parse(patched).usage;
    const { cost: _, ...usageBefore } = JSON.parse(answer).usage;
    expect(cost).toBe(0.0012);
    expect(usage).toEqual(usageBefore);
    // Everything but the one member is the same text.
    expect(withoutCost(patched)).toBe(withoutCost(answer));
  });
});

function withoutCost(answer: string): string {
  return answer.replace(/,?\s*"cost":\s*(?:\{[^}]*\}|[-\d.e]+)/, '');
}

describe.skipIf(!isPresent)('recorded error answers (skipped where ../shared/wire is not there)', () => {
  const exceptions: Record<string, string> = {
    'anthropic/errors/400-prompt-too-long.json': 'context_length_exceeded',
    'deepseek/errors/400-model-not-exist.json': 'upstream_unavailable',
    'mistral/errors/400-invalid-model.json': 'upstream_unavailable',
    'ollama/errors/400-context-length-cloud.json': 'context_length_exceeded',
    'openrouter/errors/400-context-length.json': 'context_length_exceeded',
    'xai/errors/400-wrong-key.json': 'upstream_auth',
  };
  const byStatus: Record<number, string> = {
    400: 'upstream_rejected',
    401: 'upstream_auth',
    403: 'upstream_auth',
    404: 'upstream_unavailable',
    413: 'upstream_rejected',
    422: 'upstream_rejected',
    429: 'upstream_rate_limited',
  };

  test.each(errors)('$name', ({ name, bytes, recording }) => {
    const { status, response_headers: headers } = recording;
    const body = new TextDecoder().decode(bytes);
    const error = openaiDialect.readError({ status, headers, body });
    expect(error.code).toBe(exceptions[name] ?? byStatus[status] ?? 'upstream_unavailable');
    expect(error.upstreamStatus).toBe(status);
    const said = recording.expected.message ?? null;
    if (said !== null) expect(error.message).not.toContain(said);
  });
});

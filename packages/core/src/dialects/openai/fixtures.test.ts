import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accumulate, readParts, splitEvents } from './__fixtures__/accumulate.ts';
import { openaiDialect } from './openai-dialect.ts';

// Written after the API references of OpenAI and vLLM.
function fixture(name: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, '__fixtures__', `${name}.sse`));
}

function relay(stream: Uint8Array): { text: string; meter: ReturnType<typeof openaiDialect.createMeter> } {
  const meter = openaiDialect.createMeter({
    includeUsage: false,
    choices: 1,
    price: () => {
      throw new Error('Nobody asked for usage.');
    },
  });
  const relayed: string[] = [];
  const decoder = new TextDecoder();
  for (const event of splitEvents(stream)) {
    const verdict = meter.read(event, 0, event.length);
    if (verdict === 'error') break;
    if (verdict === 'pass') relayed.push(decoder.decode(event));
    if (verdict === 'rewrite') relayed.push(decoder.decode(meter.rewritten));
  }
  return { text: relayed.join(''), meter };
}

test('reads a text with its usage', () => {
  const read = accumulate(readParts(fixture('text-usage')));
  expect(read.choices.get(0)).toMatchObject({
    text: 'Grüße, "usage":null\n\\ "finish_reason":"stop" 🎉',
    reasoning: '',
    finishReason: 'stop',
  });
  expect(read.usage).toEqual({
    promptTokens: 19,
    completionTokens: 10,
    cachedTokens: 8,
    cacheWriteTokens: undefined,
    reasoningTokens: 0,
  });
  expect(read.done).toBe(true);
});

test('relays a text without the usage that nobody asked for, also where the text looks like JSON', () => {
  const stream = fixture('text-usage');
  const { text, meter } = relay(stream);
  const source = new TextDecoder().decode(stream);
  const expected = source
    .replaceAll('}],"usage":null,', '}],')
    .split('\n\n')
    .filter((event) => !event.includes('"choices":[]') && event !== 'data: [DONE]')
    .join('\n\n');
  expect(text).toBe(expected);
  expect(text).toContain(String.raw`, \"usage\":null`);
  expect(meter).toMatchObject({ started: true, finished: true, terminated: true, error: undefined });
  expect(meter.finishReason).toEqual({ unified: 'stop', raw: 'stop' });
  expect(meter.usage).toMatchObject({ promptTokens: 19, completionTokens: 10 });
});

test('reads and relays reasoning of vLLM', () => {
  const stream = fixture('vllm-reasoning');
  const read = accumulate(readParts(stream));
  expect(read.choices.get(0)).toMatchObject({ text: '4.', reasoning: 'Two and two', finishReason: 'stop' });
  expect(read.usage).toMatchObject({ promptTokens: 21, completionTokens: 6, reasoningTokens: undefined });
  const { meter } = relay(stream);
  // Four content events; "Two", " and two", "4" and "." are 13 bytes, which would make 4 tokens, too.
  expect(meter.countedTokens).toBe(4);
});

test('reads parallel tool calls', () => {
  const read = accumulate(readParts(fixture('parallel-tools')));
  expect(read.choices.get(0)).toMatchObject({
    finishReason: 'tool_calls',
    toolCalls: [
      { index: 0, id: 'call_a', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      { index: 1, id: 'call_b', name: 'get_time', arguments: '{}' },
    ],
  });
  expect(read.usage).toBeUndefined();
});

test('an error inside the stream ends it, and nothing of its text comes out', () => {
  const stream = fixture('error-after-text');
  const read = accumulate(readParts(stream));
  expect(read.errors.map((error) => error.code)).toEqual(['upstream_error']);
  expect(read.errors[0]?.message).not.toContain('Ref 42');
  const { text, meter } = relay(stream);
  expect(text).not.toContain('Ref 42');
  expect(meter).toMatchObject({ started: true, finished: false, terminated: false });
  expect(meter.error?.code).toBe('upstream_error');
});

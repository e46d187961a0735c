import { expect, test } from 'vitest';
import type { ChatMessage, ChatRequest, Tool } from '../chat/chat-request.ts';
import { estimateInput } from './estimate-tokens.ts';

function requestOf(messages: readonly ChatMessage[], tools?: readonly Tool[]): ChatRequest {
  return {
    source: { dialect: 'openai', body: {} },
    messages,
    tools,
    stream: true,
    includeUsage: false,
    choices: 1,
    losses: [],
  };
}

test('bounds the input by one token per byte and 8 per message, and takes 4 bytes for the likely token', () => {
  const request = requestOf([
    { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
  ]);
  expect(estimateInput(request)).toEqual({ bound: 9 + 5 + 16, likely: 4 });
});

test('counts bytes, not characters', () => {
  // 2, 3 and 4 bytes.
  const request = requestOf([{ role: 'user', content: [{ type: 'text', text: 'é€😀' }] }]);
  expect(estimateInput(request)).toEqual({ bound: 9 + 8, likely: 3 });
});

test('counts all that the model reads: every part, tool calls, tool results', () => {
  const request = requestOf([
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'abcd' },
        { type: 'redacted-reasoning', data: 'efgh' },
        { type: 'text', text: 'ij' },
      ],
      toolCalls: [{ id: 'call_1', name: 'find', arguments: '{"a":1}' }],
    },
    { role: 'tool', toolCallId: 'call_1', content: [{ type: 'text', text: 'klm' }] },
  ]);
  expect(estimateInput(request)).toEqual({ bound: 10 + 11 + 3 + 16, likely: 6 });
});

test('counts a tool as one more message', () => {
  const tool = { name: 'find', description: 'Finds it', parameters: { type: 'object' } };
  // 4 + 8 + the 17 bytes of {"type":"object"}
  expect(estimateInput(requestOf([], [tool]))).toEqual({ bound: 29 + 8, likely: 8 });
});

test('counts a picture as such, whatever its bytes, and a document by them', () => {
  const data = 'A'.repeat(20_000);
  const image = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data }, path: 'a' } as const;
  const pdf = { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data }, path: 'b' } as const;
  const text = { type: 'document', source: { type: 'text', text: 'abcd' }, path: 'c' } as const;
  const remote = { type: 'document', source: { type: 'url', url: 'https://a.test/a.pdf' }, path: 'd' } as const;
  const request = requestOf([{ role: 'user', content: [image, pdf, text, remote] }]);
  expect(estimateInput(request)).toEqual({ bound: 4_096 + 20_000 + 4 + 32_768 + 8, likely: 1_000 + 1_000 + 1 + 8_192 });
});

test('counts the rest of the JSON where something of it has no neutral words, and not for a hint', () => {
  const body = { input: 'A'.repeat(100) };
  const request = { ...requestOf([]), source: { dialect: 'responses', body } } as const;
  const bound = JSON.stringify(body).length;
  expect(estimateInput({ ...request, losses: [{ path: 'input[0]' }] }).bound).toBe(bound);
  expect(estimateInput({ ...request, losses: [{ path: 'input[0].phase', isHint: true }] }).bound).toBe(0);
});

test('nothing is nothing', () => {
  expect(estimateInput(requestOf([]))).toEqual({ bound: 0, likely: 0 });
});

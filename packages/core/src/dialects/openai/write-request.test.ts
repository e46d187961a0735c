import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../chat/chat-request.ts';
import { patchRequest } from './patch-request.ts';
import { readRequest } from './read-request.ts';
import { writeRequest } from './write-request.ts';

const TARGET = { model: 'gpt-4o-2024-08-06', maxOutputTokens: 16_384 };

function request(members: Partial<ChatRequest>): ChatRequest {
  return {
    source: { dialect: 'anthropic', body: {} },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    stream: false,
    includeUsage: false,
    choices: 1,
    untranslatable: [],
    ...members,
  };
}

describe('for a provider of the same dialect', () => {
  test('only the model changes', () => {
    const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }], seed: 1, unknown: { a: 1 } };
    expect(patchRequest(readRequest(body), TARGET)).toEqual({ ...body, model: TARGET.model });
  });

  test('a stream is asked for its usage, with the other stream options as they were', () => {
    const body = {
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: false, include_obfuscation: false },
    };
    expect(patchRequest(readRequest(body), TARGET)).toEqual({
      ...body,
      model: TARGET.model,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
  });
});

describe('for a caller of another dialect', () => {
  test('a request is written with all its neutral members', () => {
    const written = writeRequest(
      request({
        messages: [
          { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'reasoning', text: 'hm', signature: 's' },
              { type: 'text', text: 'Look.' },
            ],
            toolCalls: [{ id: 'c1', name: 'f', arguments: '{}' }],
          },
          { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: 'Rain' }] },
          { role: 'assistant', content: [], toolCalls: [{ id: 'c2', name: 'f', arguments: '{}' }] },
          { role: 'tool', toolCallId: 'c2', content: [{ type: 'text', text: 'no such city' }], isError: true },
          { role: 'assistant', content: [{ type: 'redacted-reasoning', data: 'x' }], toolCalls: [] },
        ],
        stream: true,
        maxOutputTokens: 50,
        temperature: 0,
        topP: 0.5,
        stop: ['END'],
        tools: [{ name: 'f', parameters: { type: 'object' } }],
        toolChoice: { type: 'required' },
        parallelToolCalls: false,
        reasoning: { effort: 'high' },
        user: 'u1',
      }),
      TARGET,
    );
    expect(written).toEqual({
      model: TARGET.model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'assistant',
          content: 'Look.',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'Rain' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c2', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        {
          role: 'tool',
          tool_call_id: 'c2',
          content: [
            { type: 'text', text: 'The tool failed.' },
            { type: 'text', text: 'no such city' },
          ],
        },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      stop: ['END'],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
      reasoning_effort: 'high',
      user: 'u1',
    });
  });

  test('what was not asked for is not written', () => {
    expect(Object.keys(writeRequest(request({}), TARGET))).toEqual(['model', 'messages']);
  });

  test('a named tool is written as a choice', () => {
    expect(writeRequest(request({ toolChoice: { type: 'tool', name: 'f' } }), TARGET)['tool_choice']).toEqual({
      type: 'function',
      function: { name: 'f' },
    });
  });

  test.each([
    [0, 'none'],
    [2048, 'low'],
    [2049, 'medium'],
    [8192, 'medium'],
    [8193, 'high'],
  ])('a thinking budget of %d tokens is the effort %s', (budgetTokens, effort) => {
    expect(writeRequest(request({ reasoning: { budgetTokens } }), TARGET)['reasoning_effort']).toBe(effort);
  });

  test.each([
    [{ topK: 5 }, 'top_k'],
    [{ untranslatable: ['messages[0].content[1]', 'container'] }, 'messages[0].content[1]'],
  ])('%j is refused by name', (members, param) => {
    expect(() => writeRequest(request(members), TARGET)).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', param, message: expect.stringContaining(param) }),
    );
    expect(() => writeRequest(request(members), TARGET)).toThrow(/anthropic dialect/);
  });
});

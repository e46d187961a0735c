import { describe, expect, test } from 'vitest';
import type { ChatMessage, ChatRequest } from '../../chat/chat-request.ts';
import type { Quirks } from '../quirks.ts';
import { patchRequest } from './patch-request.ts';
import { readRequest } from './read-request.ts';
import { writeRequest } from './write-request.ts';

const TARGET = { model: 'gpt-4o-2024-08-06', maxOutputTokens: 16_384 };

const PDF = {
  type: 'document',
  source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' },
  name: 'a.pdf',
  path: 'messages[0].content[1]',
} as const;
const REMOTE_PDF = {
  ...PDF,
  source: { type: 'url', url: 'https://a.test/a.pdf' },
  path: 'messages[0].content[0]',
} as const;
const IMAGE = {
  type: 'image',
  source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
  detail: 'low',
  path: 'messages[0].content[0]',
} as const;

function request(members: Partial<ChatRequest>): ChatRequest {
  return {
    source: { dialect: 'anthropic', body: {} },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    stream: false,
    includeUsage: false,
    choices: 1,
    losses: [],
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
    expect(written.losses).toEqual([{ path: 'messages[].content[].thinking', isHint: true }]);
    expect(written.body).toEqual({
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
    expect(Object.keys(writeRequest(request({}), TARGET).body)).toEqual(['model', 'messages']);
  });

  test('a named tool is written as a choice', () => {
    expect(
      writeRequest(request({ tools: [{ name: 'f' }], toolChoice: { type: 'tool', name: 'f' } }), TARGET).body[
        'tool_choice'
      ],
    ).toEqual({
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
    expect(writeRequest(request({ reasoning: { budgetTokens } }), TARGET).body['reasoning_effort']).toBe(effort);
  });

  test.each([undefined, 'reasoning', 'thinking', 'none'] as const)(
    'thinking that is left to the model needs no words (%s)',
    (reasoningMember) => {
      const target = { ...TARGET, quirks: { reasoningMember } };
      const { body, losses } = writeRequest(request({ reasoning: { isAdaptive: true } }), target);
      expect(Object.keys(body)).toEqual(['model', 'messages']);
      expect(losses).toEqual([]);
    },
  );

  test('a server without words for reasoning can be asked for none', () => {
    const target = { ...TARGET, quirks: { reasoningMember: 'none' } as const };
    expect(writeRequest(request({ reasoning: { budgetTokens: 0 } }), target).losses).toEqual([]);
    expect(writeRequest(request({ reasoning: { effort: 'low' } }), target).losses).toEqual([{ path: 'thinking' }]);
  });

  test.each<[Partial<ChatRequest>, string]>([
    [{ topK: 5 }, 'top_k'],
    [{ losses: [{ path: 'container' }] }, 'container'],
    [{ messages: [{ role: 'user', content: [REMOTE_PDF] }] }, 'messages[0].content[0]'],
  ])('%j is lost by name', (members, path) => {
    expect(writeRequest(request(members), TARGET).losses).toEqual([expect.objectContaining({ path })]);
  });

  test('pictures and documents are parts, and those of tool results follow as a message of the user', () => {
    const messages: ChatMessage[] = [
      { role: 'user', content: [IMAGE, PDF, { type: 'document', source: { type: 'text', text: 'plain' }, path: 'd' }] },
      {
        role: 'assistant',
        content: [],
        toolCalls: [
          { id: 'a', name: 'f', arguments: '{}' },
          { id: 'b', name: 'f', arguments: '{}' },
        ],
      },
      { role: 'tool', toolCallId: 'a', content: [IMAGE] },
      { role: 'tool', toolCallId: 'b', content: [{ type: 'text', text: 'B' }] },
      { role: 'user', content: [{ type: 'text', text: 'So?' }] },
    ];
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } };
    expect(writeRequest(request({ messages }), TARGET)).toEqual({
      body: {
        model: TARGET.model,
        messages: [
          {
            role: 'user',
            content: [
              image,
              { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
              { type: 'text', text: '<document name="document">\nplain\n</document>' },
            ],
          },
          expect.objectContaining({ role: 'assistant' }),
          { role: 'tool', tool_call_id: 'a', content: '' },
          { role: 'tool', tool_call_id: 'b', content: 'B' },
          { role: 'user', content: [{ type: 'text', text: 'Part of the result of the tool call a:' }, image] },
          { role: 'user', content: 'So?' },
        ],
      },
      losses: [],
    });
  });

  test('marks for the cache are hints, but for those who take them', () => {
    const cache = { path: 'messages[0].content[0].cache_control' };
    const messages: ChatMessage[] = [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache }] }];
    expect(writeRequest(request({ messages }), TARGET).losses).toEqual([{ path: cache.path, isHint: true }]);
    const { body, losses } = writeRequest(request({ messages }), { ...TARGET, quirks: { cacheControl: true } });
    expect(losses).toEqual([]);
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }] },
    ]);
  });

  test('the form of the answer, log probabilities and what OpenAI alone knows are carried over', () => {
    const schema = { type: 'object' };
    const { body } = writeRequest(
      request({
        responseFormat: { type: 'json-schema', schema },
        logprobs: 3,
        openai: { service_tier: 'flex', metadata: { a: 'b' } },
      }),
      TARGET,
    );
    expect(body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
      logprobs: true,
      top_logprobs: 3,
      service_tier: 'flex',
      metadata: { a: 'b' },
    });
  });

  test("a server's own words are data", () => {
    const quirks: Quirks = {
      maxTokensMember: 'max_tokens',
      noStreamOptions: true,
      requiredToolChoice: 'any',
      shortToolCallIds: true,
      reasoningMember: 'reasoning',
      reasoningBack: 'reasoning_content',
      topK: true,
      refused: ['user', 'parallel_tool_calls'],
    };
    const messages: ChatMessage[] = [
      {
        role: 'assistant',
        content: [{ type: 'reasoning', text: 'Hm.' }],
        toolCalls: [{ id: 'call_1', name: 'f', arguments: '{}' }],
      },
      { role: 'tool', toolCallId: 'call_1', content: [{ type: 'text', text: 'B' }] },
    ];
    const { body, losses } = writeRequest(
      request({
        messages,
        stream: true,
        maxOutputTokens: 5,
        topK: 7,
        tools: [{ name: 'f' }],
        toolChoice: { type: 'required' },
        reasoning: { budgetTokens: 3000 },
        user: 'u',
        parallelToolCalls: false,
      }),
      { ...TARGET, quirks },
    );
    const id = (body['messages'] as { tool_calls: { id: string }[] }[])[0]?.tool_calls[0]?.id ?? '';
    expect(id).toMatch(/^[a-z0-9]{9}$/);
    expect(body).toEqual({
      model: TARGET.model,
      messages: [
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: id, content: 'B' },
      ],
      stream: true,
      max_tokens: 5,
      top_k: 7,
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: 'any',
      reasoning: { max_tokens: 3000 },
    });
    expect(losses).toEqual([{ path: 'user', isHint: true }, { path: 'parallel_tool_calls' }]);
  });
});

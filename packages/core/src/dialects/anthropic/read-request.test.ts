import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../chat/json.ts';
import { isGatewayError } from '../../errors.ts';
import { toEffort } from '../to-effort.ts';
import { readRequest } from './read-request.ts';

const HELLO = { role: 'user', content: 'hello' };

function request(members: Record<string, unknown> = {}): JsonObject {
  return JSON.parse(JSON.stringify({ model: 'claude', max_tokens: 10, messages: [HELLO], ...members }));
}

function refusal(body: JsonObject): { code: string; param: string | undefined; message: string } {
  try {
    readRequest(body);
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, param: error.param, message: error.message };
    throw error;
  }
  return { code: 'none', param: undefined, message: '' };
}

describe('readRequest', () => {
  it('reads a small request and keeps the body', () => {
    const body = request();
    expect(readRequest(body)).toEqual({
      source: { dialect: 'anthropic', body },
      model: 'claude',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
      stream: false,
      includeUsage: true,
      choices: 1,
      maxOutputTokens: 10,
      losses: [],
    });
    expect(readRequest(body).source.body).toBe(body);
  });

  it('reads every parameter it has neutral words for', () => {
    const read = readRequest(
      request({
        system: [{ type: 'text', text: 'Be brief.' }],
        stream: true,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        stop_sequences: ['END'],
        tools: [
          { name: 'now', description: 'the time', input_schema: { type: 'object' }, strict: true },
          { type: 'custom', name: 'here', input_schema: {} },
        ],
        tool_choice: { type: 'tool', name: 'now', disable_parallel_tool_use: true },
        thinking: { type: 'enabled', budget_tokens: 2048 },
        metadata: { user_id: 'u-1' },
      }),
    );
    expect(read).toMatchObject({
      messages: [{ role: 'system', content: [{ type: 'text', text: 'Be brief.' }] }, { role: 'user' }],
      stream: true,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      tools: [
        { name: 'now', description: 'the time', parameters: { type: 'object' }, strict: true },
        { name: 'here', parameters: {} },
      ],
      toolChoice: { type: 'tool', name: 'now' },
      parallelToolCalls: false,
      reasoning: { budgetTokens: 2048 },
      user: 'u-1',
      losses: [],
    });
  });

  it.each([
    ['auto', { type: 'auto' }],
    ['any', { type: 'required' }],
    ['none', { type: 'none' }],
  ])('reads tool_choice %s', (type, toolChoice) => {
    const tools = [{ name: 'now', input_schema: {} }];
    const read = readRequest(request({ tools, tool_choice: { type } }));
    expect(read.toolChoice).toEqual(toolChoice);
    expect(read.parallelToolCalls).toBeUndefined();
  });

  it('keeps thinking disabled whatever the effort, which is a hint then', () => {
    const members = { thinking: { type: 'disabled' }, output_config: { effort: 'high' } };
    const { losses, reasoning = {} } = readRequest(request(members));
    expect(toEffort(reasoning)).toBe('none');
    expect(losses).toEqual([{ path: 'output_config.effort', isHint: true }]);
  });

  it('reads disabled thinking as no budget, and adaptive thinking as the model deciding', () => {
    expect(readRequest(request({ thinking: { type: 'disabled' } })).reasoning).toEqual({ budgetTokens: 0 });
    expect(readRequest(request({ thinking: { type: 'adaptive' } })).reasoning).toEqual({ isAdaptive: true });
  });

  it('takes for a hint that thoughts are not to be shown, and for nothing that they are', () => {
    const losses = (display: string): unknown =>
      readRequest(request({ thinking: { type: 'adaptive', display } })).losses;
    expect(losses('omitted')).toEqual([{ path: 'thinking.display', isHint: true }]);
    expect(losses('summarized')).toEqual([]);
  });

  it('reads thinking between tools as the least effort, where no other is given', () => {
    const thinking = { type: 'between_tools' };
    const read = readRequest(request({ thinking }));
    expect(read.reasoning).toEqual({ effort: 'low' });
    expect(read.losses).toEqual([{ path: 'thinking.type', isHint: true }]);
    const output_config = { effort: 'high' };
    expect(readRequest(request({ thinking, output_config })).reasoning).toEqual({ effort: 'high' });
    expect(readRequest(request({ output_config, thinking })).reasoning).toEqual({ effort: 'high' });
  });

  it('reads a bound of no tokens, with which only Anthropic fills its cache, as none for anyone else', () => {
    const read = readRequest(request({ max_tokens: 0 }));
    expect(read).not.toHaveProperty('maxOutputTokens');
    expect(read.losses).toEqual([{ path: 'max_tokens', rule: 'must be at least 1 for the provider of this model' }]);
  });

  it.each(['*', 'auto', undefined])('lets any model serve for model %s', (model) => {
    expect(readRequest(request({ model })).model).toBeUndefined();
  });

  it('turns blocks of a conversation with tools into neutral messages, in order', () => {
    const { messages, losses } = readRequest(
      request({
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 's1' },
              { type: 'redacted_thinking', data: 'd1' },
              { type: 'text', text: 'Looking.', citations: null },
              {
                type: 'tool_use',
                id: 't1',
                name: 'weather',
                input: { city: 'Oslo', api_base: 'x' },
                caller: { type: 'direct' },
              },
              { type: 'tool_use', id: 't2', name: 'now', input: {} },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't1', content: 'rain' },
              { type: 'tool_result', tool_use_id: 't2', content: [{ type: 'text', text: 'no clock' }], is_error: true },
              { type: 'text', text: 'And tomorrow?' },
            ],
          },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't3' }] },
        ],
      }),
    );
    expect(messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm', signature: 's1' },
          { type: 'redacted-reasoning', data: 'd1' },
          { type: 'text', text: 'Looking.' },
        ],
        toolCalls: [
          { id: 't1', name: 'weather', arguments: '{"city":"Oslo","api_base":"x"}' },
          { id: 't2', name: 'now', arguments: '{}' },
        ],
      },
      { role: 'tool', toolCallId: 't1', content: [{ type: 'text', text: 'rain' }] },
      { role: 'tool', toolCallId: 't2', content: [{ type: 'text', text: 'no clock' }], isError: true },
      { role: 'user', content: [{ type: 'text', text: 'And tomorrow?' }] },
      { role: 'tool', toolCallId: 't3', content: [] },
    ]);
    expect(losses).toEqual([]);
  });

  it('reads what the system says between the turns in its place', () => {
    const { messages, losses } = readRequest(
      request({
        system: 'Be brief.',
        messages: [
          HELLO,
          { role: 'system', content: 'Speak French.', clear_at: 'never' },
          { role: 'system', content: [{ type: 'text', text: 'Be kind.' }, { type: 'tool_removal' }] },
          { role: 'system', content: [], output_config: { effort: 'low' } },
          { role: 'system', output_config: {}, content: 'Soon over.', clear_at: 'next_user_message' },
        ],
      }),
    );
    expect(messages).toEqual([
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', content: [{ type: 'text', text: 'hello' }] },
      { role: 'system', content: [{ type: 'text', text: 'Speak French.' }] },
      { role: 'system', content: [{ type: 'text', text: 'Be kind.' }] },
      { role: 'system', content: [{ type: 'text', text: 'Soon over.' }] },
    ]);
    expect(losses.map(({ path }) => path)).toEqual([
      'messages[2].content[1]',
      'messages[3].output_config',
      'messages[4].clear_at',
    ]);
  });

  it('loses an answer that has begun, with which only Anthropic goes on', () => {
    const begun = { role: 'assistant', content: 'The answer is (' };
    for (const messages of [[HELLO, begun], [begun]]) {
      const read = readRequest(request({ messages }));
      expect(read.messages.map(({ role }) => role)).toEqual(messages.slice(0, -1).map(({ role }) => role));
      expect(read.losses).toMatchObject([{ path: `messages[${messages.length - 1}]` }]);
    }
  });

  it.each(['', [], [{ type: 'text', text: '' }]])('takes an answer that has not begun for none: %j', (content) => {
    expect(readRequest(request({ messages: [HELLO, { role: 'assistant', content }] })).losses).toEqual([]);
  });

  it('takes for hints what makes no difference to the answer', () => {
    const { losses } = readRequest(
      request({
        cache_control: { type: 'ephemeral', scope: 'global' },
        service_tier: 'standard_only',
        diagnostics: { previous_message_id: null },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      }),
    );
    const hints = ['cache_control.scope', 'cache_control', 'service_tier', 'diagnostics', 'context_management'];
    expect(losses).toEqual(hints.map((path) => ({ path, isHint: true })));
  });

  it('loses an edit of the context that is not of thoughts alone', () => {
    const edits = [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }];
    expect(readRequest(request({ context_management: { edits } })).losses).toEqual([{ path: 'context_management' }]);
  });

  it('loses nothing that is empty or only states a default', () => {
    const tool = { name: 'a', input_schema: {}, defer_loading: false, allowed_callers: ['direct'] };
    expect(readRequest(request({ mcp_servers: [], tools: [tool] })).losses).toEqual([]);
    const deferred = { ...tool, defer_loading: true, allowed_callers: ['direct', 'code_execution_20260120'] };
    expect(readRequest(request({ tools: [deferred] })).losses.map(({ path }) => path)).toEqual([
      'tools[0].defer_loading',
      'tools[0].allowed_callers',
    ]);
  });

  it('names what has no neutral words by its path', () => {
    const { losses, messages } = readRequest(
      request({
        system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
        service_tier: 'something_new',
        container: null,
        metadata: { user_id: null, team: 'x' },
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'file', file_id: 'file_1' } },
              { type: 'tool_result', tool_use_id: 't', content: [{ type: 'search_result' }] },
              { type: 'block_of_next_year' },
            ],
          },
        ],
      }),
    );
    expect(losses.map(({ path }) => path).toSorted()).toEqual([
      'messages[0].content[0]',
      'messages[0].content[1].content[0]',
      'messages[0].content[2]',
      'metadata.team',
      'service_tier',
      'tools[0]',
    ]);
    expect(messages.map(({ role }) => role)).toEqual(['system', 'tool']);
  });

  it.each([
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: null }],
    ['max_tokens', { max_tokens: -1 }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['max_tokens', { max_tokens: '5' }],
    ['max_tokens', { max_tokens: 1e12 }],
    ['messages', { messages: undefined }],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hello' }],
    ['messages', { messages: Array.from({ length: 10_001 }, () => HELLO) }],
    ['messages[0]', { messages: [null] }],
    ['messages[1].role', { messages: [HELLO, { role: 'developer', content: 'a' }] }],
    ['messages[1].content[0].text', { messages: [HELLO, { role: 'system', content: [{ type: 'text' }] }] }],
    ['cache_control.ttl', { cache_control: { type: 'ephemeral', ttl: '2d' } }],
    ['context_management.edits', { context_management: { edits: 'all' } }],
    ['messages[0].content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].content[1]', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, 'b'] }] }],
    ['messages[0].content[1].type', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, {}] }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'user', content: [{ type: 'tool_use' }] }] }],
    ['messages[0].content[0].type', { messages: [{ role: 'assistant', content: [{ type: 'tool_result' }] }] }],
    ['messages[0].content[0].text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    ['messages[0].content[0].tool_use_id', { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] }],
    [
      'messages[0].content[0].is_error',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', is_error: 1 }] }] },
    ],
    [
      'messages[0].content[0].input',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: '{}' }] }] },
    ],
    ['messages[0].content[0].thinking', { messages: [{ role: 'assistant', content: [{ type: 'thinking' }] }] }],
    ['messages[0].content[0].data', { messages: [{ role: 'assistant', content: [{ type: 'redacted_thinking' }] }] }],
    ['model', { model: '' }],
    ['model', { model: 5 }],
    ['model', { model: 'a'.repeat(1_000_000) }],
    ['model', { model: 'a\r\nx-evil: 1' }],
    ['system', { system: 5 }],
    ['system[0].text', { system: [{ type: 'text' }] }],
    ['temperature', { temperature: 'hot' }],
    ['temperature', { temperature: -1 }],
    ['temperature', { temperature: 1.1 }],
    ['top_p', { top_p: 2 }],
    ['top_k', { top_k: 1.5 }],
    ['stop_sequences', { stop_sequences: 'a' }],
    ['stop_sequences', { stop_sequences: Array.from({ length: 17 }, () => 'a') }],
    ['stop_sequences[0]', { stop_sequences: ['a'.repeat(1_000_000)] }],
    ['stop_sequences[1]', { stop_sequences: ['a', 5] }],
    ['stream', { stream: 'yes' }],
    ['tools', { tools: {} }],
    ['tools[0].name', { tools: [{ name: 'two words', input_schema: {} }] }],
    ['tools[0].input_schema', { tools: [{ name: 'a' }] }],
    ['tools[0].description', { tools: [{ name: 'a', input_schema: {}, description: 5 }] }],
    ['tool_choice', { tool_choice: 'auto' }],
    ['tool_choice', { tools: [], tool_choice: { type: 'any' } }],
    ['tool_choice.type', { tool_choice: { type: 'required' } }],
    ['tool_choice.name', { tool_choice: { type: 'tool' } }],
    ['tool_choice.disable_parallel_tool_use', { tool_choice: { type: 'auto', disable_parallel_tool_use: 'no' } }],
    ['thinking.type', { thinking: { type: 'on' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 100 } }],
    ['metadata', { metadata: 'me' }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 1])) }],
    ['metadata.user_id', { metadata: { user_id: 'a\r\nb' } }],
    ['metadata.user_id', { metadata: { user_id: 'a'.repeat(257) } }],
  ])('refuses a wrong %s', (param, members) => {
    const { code, param: named, message } = refusal(request(members));
    expect({ code, param: named }).toEqual({ code: 'invalid_parameter', param });
    expect(message).toContain(param);
  });

  it.each([
    ['api_base', { api_base: 'http://evil' }],
    ['proxy', { proxy: 5 }],
    ['user_config', { user_config: { api_base: 'http://evil' } }],
    ['litellm.deep[0].extra_headers', { litellm: { deep: [{ extra_headers: {} }] } }],
    ['metadata.base_url', { metadata: { base_url: 'http://evil' } }],
    ['messages[0].proxy', { messages: [{ ...HELLO, proxy: 'http://evil' }] }],
    [
      'messages[0].content[0].source.proxy',
      { messages: [{ role: 'user', content: [{ type: 'image', source: { proxy: 1 } }] }] },
    ],
    ['tools[0].base_url', { tools: [{ name: 'a', input_schema: {}, base_url: 'http://evil' }] }],
    ['tools[0].api_base', { tools: [{ type: 'bash_20250124', name: 'bash', api_base: 'x' }] }],
  ] as [string, object][])('refuses to be told a host by %s', (param, members) => {
    expect(refusal(request({ ...members }))).toMatchObject({ code: 'unknown_parameter', param });
  });

  it('allows any name in schemas and inputs of tools', () => {
    const input_schema = { properties: { proxy: { type: 'string' }, base_url: {} } };
    const tools = [{ name: 'a', input_schema, input_examples: [{ proxy: 'x', base_url: 'y' }] }];
    expect(refusal(request({ tools })).code).toBe('none');
  });

  it('refuses a body that is no object', () => {
    for (const text of ['null', '[]', '"a"', '1']) {
      expect(refusal(JSON.parse(text))).toMatchObject({ code: 'invalid_request' });
    }
  });
});

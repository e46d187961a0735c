import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../chat/json.ts';
import { isGatewayError } from '../../errors.ts';
import { readRequest } from './read-request.ts';

const GREETING = { role: 'user', content: 'Hello' };
const HELLO = [GREETING];

function refusal(body: JsonObject): { code: string; param: string | undefined; message: string } {
  try {
    readRequest(body);
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, param: error.param, message: error.message };
    throw error;
  }
  throw new Error(`Was taken: ${JSON.stringify(body)}`);
}

describe('bad inputs', () => {
  test.each(['[]', '"text"', '1', 'null'])('B12: a body of %s is no request', (body) => {
    expect(refusal(JSON.parse(body)).code).toBe('invalid_request');
  });

  test.each<[string, JsonObject, string]>([
    ['B14 missing', {}, 'messages'],
    ['B14 empty', { messages: [] }, 'messages'],
    ['B14 not a list', { messages: 'Hello' }, 'messages'],
    ['B14 too many', { messages: Array.from({ length: 10_001 }, () => GREETING) }, 'messages'],
    ['B14 null', { messages: [GREETING, null] }, 'messages[1]'],
    ['B15 role', { messages: [{ role: 'robot', content: 'a' }] }, 'messages[0].role'],
    ['B15 no role', { messages: [{ content: 'a' }] }, 'messages[0].role'],
    ['B15 content', { messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    ['B15 no content', { messages: [{ role: 'user' }] }, 'messages[0].content'],
    ['B15 part', { messages: [{ role: 'user', content: ['a'] }] }, 'messages[0].content[0]'],
    ['B15 text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
    ['B15 tool', { messages: [{ role: 'tool', content: 'a' }] }, 'messages[0].tool_call_id'],
    [
      'B15 arguments',
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] }] },
      'messages[0].tool_calls[0].function.arguments',
    ],
    ['B16 empty', { model: '' }, 'model'],
    ['B16 number', { model: 4 }, 'model'],
    ['B16 long', { model: 'x'.repeat(257) }, 'model'],
    ['B16 CRLF', { model: 'gpt-4\r\nx: y' }, 'model'],
    ...[-1, 0, 1.5, '5', 1e12, Number.POSITIVE_INFINITY].map((max): [string, JsonObject, string] => [
      `B17 ${max}`,
      { max_tokens: max },
      'max_tokens',
    ]),
    ['B17 conflict', { max_tokens: 5, max_completion_tokens: 6 }, 'max_completion_tokens'],
    ...[0, -1, 9, 1e9, 1.5].map((n): [string, JsonObject, string] => [`B18 ${n}`, { n }, 'n']),
    ['B19 hot', { temperature: 'hot' }, 'temperature'],
    ['B19 -1', { temperature: -1 }, 'temperature'],
    ['B19 3', { temperature: 3 }, 'temperature'],
    ['B19 top_p', { top_p: 2 }, 'top_p'],
    ['B19 seed', { seed: 1.5 }, 'seed'],
    ['B20 many', { stop: Array.from({ length: 17 }, () => 'a') }, 'stop'],
    ['B20 long', { stop: ['x'.repeat(65_537)] }, 'stop'],
    ['B20 number', { stop: ['a', 5] }, 'stop[1]'],
    ['B21 text', { stream: 'yes' }, 'stream'],
    ['B21 options', { stream_options: { include_usage: true } }, 'stream_options'],
    ['B21 options off', { stream: false, stream_options: {} }, 'stream_options'],
    ['B21 option', { stream: true, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    ['B27 user', { user: 'a\r\nb' }, 'user'],
    ['B27 metadata', { metadata: { a: 'b\u0000' } }, 'metadata.a'],
    ['tools', { tools: {} }, 'tools'],
    ['tool', { tools: [{ type: 'function', function: { name: '' } }] }, 'tools[0].function.name'],
    [
      'schema',
      { tools: [{ type: 'function', function: { name: 'f', parameters: 'x' } }] },
      'tools[0].function.parameters',
    ],
    ['choice', { tool_choice: 'maybe' }, 'tool_choice'],
    ['choice of no tools', { tool_choice: 'required' }, 'tool_choice'],
    [
      'choice of one of no tools',
      { tools: [], tool_choice: { type: 'function', function: { name: 'f' } } },
      'tool_choice',
    ],
    ['penalty', { presence_penalty: 3 }, 'presence_penalty'],
  ])('%s is refused with its path', (name, body, param) => {
    const isAboutMessages = name.startsWith('B14') || name.startsWith('B15');
    const given = isAboutMessages ? body : { messages: HELLO, ...body };
    const error = refusal(given);
    expect(error).toMatchObject({ code: 'invalid_parameter', param });
    expect(error.message).toMatch(/ must be \S/);
  });

  test.each<[JsonObject, string]>([
    [{ api_base: 'http://x' }, 'api_base'],
    [{ base_url: null }, 'base_url'],
    [{ user_config: { api_base: 'http://x' } }, 'user_config'],
    [{ metadata: { a: { extra_headers: {} } } }, 'metadata.a.extra_headers'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'a', proxy: 'x' }] }] },
      'messages[0].content[0].proxy',
    ],
    [{ tools: [{ type: 'function', function: { name: 'f', api_base: 'x' } }] }, 'tools[0].function.api_base'],
    [{ parameters: { proxy: 'x' } }, 'parameters.proxy'],
  ])('B22: %j names a host', (body, param) => {
    expect(refusal({ messages: HELLO, ...body })).toMatchObject({ code: 'unknown_parameter', param });
  });

  test('schemas and arguments may have properties of any name', () => {
    const schema = { type: 'object', properties: { base_url: { type: 'string' }, proxy: { type: 'string' } } };
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"base_url":"x"}' } };
    const request = readRequest({
      messages: [...HELLO, { role: 'assistant', content: null, tool_calls: [call] }],
      tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
      chat_template_kwargs: { proxy: 1 },
    });
    expect(request.tools?.[0]?.parameters).toEqual(schema);
  });
});

describe('a request', () => {
  test('is read with everything that has neutral words', () => {
    const body = {
      model: 'gpt-4',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        {
          role: 'assistant',
          content: null,
          refusal: null,
          reasoning_content: 'I need the tool.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', name: 'weather', content: 'Rain' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
        { role: 'assistant', content: null, refusal: 'Never.' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      n: 2,
      max_completion_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: 'END',
      tools: [{ type: 'function', function: { name: 'weather', description: 'Tells', parameters: {}, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
      reasoning_effort: 'low',
      user: 'u1',
    };
    expect(readRequest(body)).toEqual({
      source: { dialect: 'openai', body },
      model: 'gpt-4',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        {
          role: 'assistant',
          content: [{ type: 'reasoning', text: 'I need the tool.' }],
          toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }],
        },
        { role: 'tool', toolCallId: 'call_1', content: [{ type: 'text', text: 'Rain' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'No.' }], toolCalls: [] },
        { role: 'assistant', content: [{ type: 'text', text: 'Never.' }], toolCalls: [] },
      ],
      stream: true,
      includeUsage: true,
      choices: 2,
      maxOutputTokens: 50,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      tools: [{ name: 'weather', description: 'Tells', parameters: {}, strict: true }],
      toolChoice: { type: 'tool', name: 'weather' },
      parallelToolCalls: false,
      reasoning: { effort: 'low' },
      user: 'u1',
      losses: [],
    });
  });

  test.each([[undefined], [null], ['*'], ['auto']])('with the model %j leaves the model open', (model) => {
    expect(readRequest({ messages: HELLO, model }).model).toBeUndefined();
  });

  test('has defaults for what it leaves out', () => {
    expect(readRequest({ messages: HELLO })).toMatchObject({ stream: false, includeUsage: false, choices: 1 });
  });

  test('may state both bounds when they agree', () => {
    expect(readRequest({ messages: HELLO, max_tokens: 7, max_completion_tokens: 7 }).maxOutputTokens).toBe(7);
  });

  test('lists what has no neutral words, by path', () => {
    const { losses } = readRequest({
      messages: [
        { role: 'user', name: 'Ann', content: [{ type: 'input_audio', input_audio: {} }] },
        { role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] },
        { role: 'function', name: 'f', content: 'a' },
      ],
      seed: 0,
      frequency_penalty: 1,
      logit_bias: { 50256: -100 },
      modalities: ['text', 'audio'],
      functions: [{ name: 'f' }],
      tool_choice: { type: 'allowed_tools' },
      something_new: false,
    });
    expect(losses.map(({ path }) => path).toSorted()).toEqual(
      [
        'messages[0].name',
        'messages[0].content[0]',
        'messages[1].content[0].file.file_id',
        'messages[2]',
        'seed',
        'frequency_penalty',
        'logit_bias',
        'modalities',
        'functions',
        'tool_choice',
        'something_new',
      ].toSorted(),
    );
  });

  test('does not list what only states a default', () => {
    const { losses } = readRequest({
      messages: [{ role: 'assistant', content: 'a', refusal: null, audio: null, annotations: [] }],
      n: 1,
      store: false,
      logprobs: false,
      response_format: { type: 'text' },
      service_tier: 'auto',
      modalities: ['text'],
      presence_penalty: 0,
      metadata: {},
      logit_bias: null,
      stream: true,
      stream_options: { include_usage: false },
      top_k: -1,
    });
    expect(losses).toEqual([]);
  });

  test('takes for hints what an answer brought along, but for what it said', () => {
    const called = { name: 'f', arguments: '{}', parsed_arguments: {} };
    const call = { id: 'a', type: 'function', index: 0, function: called, extra_content: { google: 's' } };
    const { losses } = readRequest({
      messages: [
        { role: 'assistant', content: 'a', parsed: { b: 1 }, provider_specific_fields: { c: 1 }, tool_calls: [call] },
        { role: 'assistant', content: 'b', audio: { id: 'audio_1' }, function_call: { name: 'f', arguments: '{}' } },
      ],
    });
    expect(losses).toEqual([
      { path: 'messages[0].provider_specific_fields', isHint: true },
      { path: 'messages[0].tool_calls[0].extra_content', isHint: true },
      { path: 'messages[1].audio' },
      { path: 'messages[1].function_call' },
    ]);
  });

  test('takes for hints where to cache and how long, and where a second name of the user stands', () => {
    const { losses, openai, user } = readRequest({
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'a', prompt_cache_breakpoint: { mode: 'explicit' } }] },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: 'https://a.test/b.png', prompt_cache_breakpoint: { mode: 'explicit' } },
          ],
        },
      ],
      prompt_cache_options: { mode: 'explicit', ttl: '30m' },
      user: 'u1',
      safety_identifier: 'u2',
    });
    expect(losses).toEqual([
      { path: 'safety_identifier', isHint: true },
      { path: 'messages[0].content[0].prompt_cache_breakpoint', isHint: true },
      { path: 'messages[1].content[0].prompt_cache_breakpoint', isHint: true },
    ]);
    expect({ openai, user }).toEqual({
      openai: { prompt_cache_options: { mode: 'explicit', ttl: '30m' } },
      user: 'u1',
    });
  });

  test.each<[JsonObject, JsonObject]>([
    [{ thinking: { type: 'enabled', budget_tokens: 2048, display: 'summarized' } }, { budgetTokens: 2048 }],
    [{ thinking: { type: 'enabled' } }, { effort: 'medium' }],
    [{ thinking: { type: 'disabled' } }, { budgetTokens: 0 }],
    [
      { thinking: { type: 'adaptive' }, reasoning_effort: 'low' },
      { isAdaptive: true, effort: 'low' },
    ],
    [{ reasoning_effort: 'low', thinking: { type: 'enabled' } }, { effort: 'low' }],
  ])('may ask for thoughts as Anthropic does: %j', (members, reasoning) => {
    expect(readRequest({ messages: HELLO, ...members })).toMatchObject({ reasoning, losses: [] });
  });

  test.each([true, { type: 'something_new' }])(
    'loses a wish for thoughts in words that nobody knows: %j',
    (thinking) => {
      expect(readRequest({ messages: HELLO, thinking }).losses).toEqual([{ path: 'thinking' }]);
    },
  );

  test('takes for a hint that the answer is to be stored', () => {
    expect(readRequest({ messages: HELLO, store: true }).losses).toEqual([{ path: 'store', isHint: true }]);
  });

  test('loses the members of tools that have no neutral words, and alternatives to tokens that nobody shows', () => {
    const { losses } = readRequest({
      messages: HELLO,
      tools: [
        { type: 'function', defer_loading: true, function: { name: 'f', input_examples: [{}] } },
        { type: 'function', defer_loading: false, function: { name: 'g' } },
      ],
      top_logprobs: 2,
    });
    expect(losses.map(({ path }) => path).toSorted()).toEqual([
      'tools[0].defer_loading',
      'tools[0].function.input_examples',
      'top_logprobs',
    ]);
  });

  test('keeps whose reasoning it is that is neither signed by Anthropic nor by OpenAI', () => {
    const format = 'google-gemini-v1';
    const { messages } = readRequest({
      messages: [
        {
          role: 'assistant',
          content: 'Yes.',
          reasoning_details: [
            { type: 'reasoning.text', text: 't', signature: 'SIG', format, index: 0 },
            { type: 'reasoning.encrypted', data: 'ENC', format, id: 'tool_0', index: 1 },
            { type: 'reasoning.encrypted', data: 'own', format: null, index: 2 },
          ],
        },
      ],
    });
    expect(messages[0]?.content).toEqual([
      { type: 'reasoning', text: 't', signature: 'SIG', format },
      { type: 'redacted-reasoning', data: 'ENC', format, id: 'tool_0' },
      { type: 'redacted-reasoning', data: 'own' },
      { type: 'text', text: 'Yes.' },
    ]);
  });

  test('gets signed reasoning back from the details that our answers carry', () => {
    const { messages } = readRequest({
      messages: [
        {
          role: 'assistant',
          content: 'Yes.',
          reasoning_content: 'Think twice.',
          reasoning_details: [
            { type: 'reasoning.text', signature: 'sig', format: 'anthropic-claude-v1', index: 0 },
            { type: 'reasoning.encrypted', data: 'xyz', format: 'anthropic-claude-v1', index: 1 },
          ],
        },
        {
          role: 'assistant',
          content: 'No.',
          reasoning_content: 'ab',
          reasoning_details: [
            { type: 'reasoning.text', text: 'a', index: 0 },
            { type: 'reasoning.text', text: 'b', index: 0 },
            { type: 'reasoning.text', signature: 's1', index: 0 },
            { type: 'reasoning.text', text: 'c', signature: 's2', index: 1 },
          ],
        },
      ],
    });
    expect(messages.map(({ content }) => content)).toEqual([
      [
        { type: 'reasoning', text: 'Think twice.', signature: 'sig' },
        { type: 'redacted-reasoning', data: 'xyz' },
        { type: 'text', text: 'Yes.' },
      ],
      [
        { type: 'reasoning', text: 'ab', signature: 's1' },
        { type: 'reasoning', text: 'c', signature: 's2' },
        { type: 'text', text: 'No.' },
      ],
    ]);
  });
});

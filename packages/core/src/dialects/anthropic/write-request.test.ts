import { describe, expect, it } from 'vitest';
import type { ChatMessage, ChatRequest } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import { isGatewayError } from '../../errors.ts';
import type { RequestTarget } from '../dialect.ts';
import { patchRequest } from './patch-request.ts';
import { readRequest } from './read-request.ts';
import { writeRequest } from './write-request.ts';

const HELLO: ChatMessage = { role: 'user', content: [{ type: 'text', text: 'hello' }] };
const TARGET = { model: 'claude-sonnet-4' };

function request(members: Partial<ChatRequest> = {}): ChatRequest {
  return {
    source: { dialect: 'openai', body: {} },
    messages: [HELLO],
    stream: false,
    includeUsage: false,
    choices: 1,
    losses: [],
    ...members,
  };
}

function system(text: string): ChatMessage {
  return { role: 'system', content: [{ type: 'text', text }] };
}

function written(members: Partial<ChatRequest>, maxOutputTokens?: number): JsonObject {
  return writeRequest(request(members), { ...TARGET, maxOutputTokens }).body;
}

function writtenFor(model: string, members: Partial<ChatRequest>): JsonObject {
  return writeRequest(request(members), { model }).body;
}

function lost(members: Partial<ChatRequest>, target: Partial<RequestTarget> = {}): string[] {
  const { losses } = writeRequest(request(members), { ...TARGET, ...target });
  return losses.map(
    ({ path, rule, isHint }) => `${path}${isHint ? ' (hint)' : ''}${rule === undefined ? '' : ': ' + rule}`,
  );
}

function refusal(run: () => unknown): { code: string; param: string | undefined } | undefined {
  try {
    run();
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, param: error.param };
    throw error;
  }
  return undefined;
}

const ADAPTIVE = { type: 'adaptive', display: 'summarized' };
const LOW = { effort: 'low' } as const;

function loop(content: (ChatMessage & { role: 'assistant' })['content']): ChatMessage[] {
  return [
    HELLO,
    { role: 'assistant', content, toolCalls: [{ id: 'a', name: 'b', arguments: '{}' }] },
    { role: 'tool', toolCallId: 'a', content: [] },
  ];
}

describe('patchRequest', () => {
  it('changes nothing but the model', () => {
    const body = { model: 'a', max_tokens: 5, messages: [{ role: 'user', content: 'x' }], container: { x: [1] } };
    expect(patchRequest(readRequest(body), TARGET)).toEqual({ ...body, model: 'claude-sonnet-4' });
  });
});

describe('writeRequest', () => {
  it('writes a small request', () => {
    expect(written({})).toEqual({
      model: 'claude-sonnet-4',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
    });
  });

  it('bounds the answer by the caller, else by the model, else by 4096, and never above the model', () => {
    expect(written({ maxOutputTokens: 100 }, 8192)['max_tokens']).toBe(100);
    expect(written({}, 8192)['max_tokens']).toBe(8192);
    expect(written({})['max_tokens']).toBe(4096);
    expect(written({ maxOutputTokens: 100_000 }, 8192)['max_tokens']).toBe(8192);
  });

  it('gathers system messages from everywhere, in order, which loses nothing of them', () => {
    const messages = [system('a'), system('b'), HELLO, system(''), system('c')];
    expect(written({ messages: [system('a'), HELLO] })['system']).toBe('a');
    expect(written({ messages })).toMatchObject({
      system: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
        { type: 'text', text: 'c' },
      ],
      messages: [{ role: 'user' }],
    });
    expect(lost({ messages })).toEqual([]);
  });

  it('leaves a system message where it is for models that take it there, after the user and before the answer', () => {
    const answer: ChatMessage = { role: 'assistant', content: [{ type: 'text', text: 'Hi' }], toolCalls: [] };
    const messages = [system('a'), HELLO, system('b'), system('c'), answer, system('d'), HELLO, system('e')];
    const model = 'claude-opus-4-8';
    const block = (text: string): JsonObject => ({ type: 'text', text });
    expect(writtenFor(model, { messages })).toMatchObject({
      system: [block('a'), block('d')],
      messages: [
        { role: 'user', content: [block('hello')] },
        { role: 'system', content: [block('b'), block('c')] },
        { role: 'assistant', content: [block('Hi')] },
        { role: 'user', content: [block('hello')] },
        { role: 'system', content: [block('e')] },
      ],
    });
  });

  it('moves a system message that stands between two messages of the user', () => {
    expect(writtenFor('claude-opus-5', { messages: [HELLO, system('a'), HELLO] })).toMatchObject({
      system: 'a',
      messages: [{ role: 'user', content: [{ text: 'hello' }, { text: 'hello' }] }],
    });
  });

  it('makes alternating turns: neighbours joined, results of tools in one user turn, thinking only when signed', () => {
    const { messages } = written({
      messages: [
        HELLO,
        { role: 'user', content: [{ type: 'text', text: 'again' }] },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'unsigned' },
            { type: 'reasoning', text: 'hm', signature: 's' },
            { type: 'redacted-reasoning', data: 'd' },
            { type: 'text', text: '' },
          ],
          toolCalls: [
            { id: 'call:1', name: 'weather', arguments: '{"city":"Oslo"}' },
            { id: 'call_2', name: 'now', arguments: '' },
          ],
        },
        { role: 'tool', toolCallId: 'call:1', content: [{ type: 'text', text: 'rain' }] },
        {
          role: 'tool',
          toolCallId: 'call_2',
          isError: true,
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: [], toolCalls: [] },
        HELLO,
      ],
    });
    expect(messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hello' },
          { type: 'text', text: 'again' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
          { type: 'tool_use', id: 'call_3a_1', name: 'weather', input: { city: 'Oslo' } },
          { type: 'tool_use', id: 'call_2', name: 'now', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_3a_1', content: 'rain' },
          {
            type: 'tool_result',
            tool_use_id: 'call_2',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
            is_error: true,
          },
          { type: 'text', text: 'hello' },
        ],
      },
    ]);
  });

  it('writes sampling, stops, stream, user and tools', () => {
    expect(
      written({
        stream: true,
        temperature: 1,
        topP: 0.5,
        topK: 3,
        stop: ['a'],
        user: 'u',
        tools: [{ name: 't', description: 'd', parameters: { properties: {} }, strict: true }, { name: 'bare' }],
        toolChoice: { type: 'required' },
        parallelToolCalls: false,
      }),
    ).toMatchObject({
      stream: true,
      temperature: 1,
      top_p: 0.5,
      top_k: 3,
      stop_sequences: ['a'],
      metadata: { user_id: 'u' },
      tools: [
        { name: 't', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true },
        { name: 'bare', input_schema: { type: 'object' } },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    });
  });

  it.each([
    [{ toolChoice: { type: 'none' } }, { type: 'none' }],
    [{ toolChoice: { type: 'auto' } }, { type: 'auto' }],
    [{ toolChoice: { type: 'tool', name: 't' } }, { type: 'tool', name: 't' }],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{ parallelToolCalls: true }, undefined],
    [{ parallelToolCalls: false, tools: [] }, undefined],
  ] as [Partial<ChatRequest>, unknown][])('writes %j as tool_choice %j', (members, toolChoice) => {
    expect(written({ tools: [{ name: 't' }], ...members })['tool_choice']).toEqual(toolChoice);
  });

  it.each([
    // effort or budget, max_tokens asked, limit of the model → budget, max_tokens
    [{ effort: 'low' }, 500, undefined, 1024, 1524],
    [{ effort: 'minimal' }, 500, undefined, 1024, 1524],
    [{ effort: 'medium' }, undefined, undefined, 4096, 8192],
    [{ effort: 'high' }, undefined, 64_000, 16_384, 64_000],
    [{ effort: 'xhigh' }, 1000, undefined, 32_768, 33_768],
    [{ effort: 'high' }, 1000, 8192, 4096, 8192],
    [{ budgetTokens: 10 }, 100, undefined, 1024, 1124],
    [{ budgetTokens: 3000 }, 100, undefined, 3000, 3100],
  ] as const)(
    'gives reasoning %j beside %j tokens of at most %j a budget of %j within %j',
    (...[reasoning, asked, limit, budget, max]) => {
      expect(written({ reasoning, maxOutputTokens: asked }, limit)).toMatchObject({
        thinking: { type: 'enabled', budget_tokens: budget },
        max_tokens: max,
      });
    },
  );

  it.each([{ effort: 'none' }, { budgetTokens: 0 }] as const)('switches thinking off for %j', (reasoning) => {
    expect(written({ reasoning })).toMatchObject({ thinking: { type: 'disabled' }, max_tokens: 4096 });
  });

  it('does not begin to think in a tool loop whose call has no signed thinking', () => {
    expect(written({ reasoning: LOW, messages: loop([]) })['thinking']).toBeUndefined();
    expect(lost({ reasoning: LOW, messages: loop([]) })).toEqual(['reasoning_effort (hint)']);
    const foreign = { type: 'reasoning', text: 'x', signature: 's', format: 'google-gemini-v1' } as const;
    expect(written({ reasoning: LOW, messages: loop([foreign]) })['thinking']).toBeUndefined();
    const signed = { type: 'reasoning', text: 'x', signature: 's' } as const;
    expect(written({ reasoning: LOW, messages: loop([signed]) })['thinking']).toBeDefined();
    expect(written({ reasoning: LOW, messages: [...loop([]), HELLO] })['thinking']).toBeDefined();
  });

  it('thinks on in any tool loop where the model decides itself how much', () => {
    expect(writtenFor('claude-opus-4-8', { reasoning: LOW, messages: loop([]) })).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    });
  });

  it('sends Anthropic no reasoning that another provider has signed', () => {
    const messages: ChatMessage[] = [
      HELLO,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 't', signature: 's', format: 'google-gemini-v1' },
          { type: 'redacted-reasoning', data: 'd', format: 'openai' },
          { type: 'text', text: 'Hi' },
        ],
        toolCalls: [],
      },
    ];
    expect(written({ messages })).toMatchObject({ messages: [{}, { content: [{ type: 'text', text: 'Hi' }] }] });
  });

  it.each([
    ['n: must be 1', { choices: 2 }],
    ['seed', { losses: [{ path: 'seed' }] }],
    ['logprobs', { logprobs: 2 }],
    ['response_format: must be of the type json_schema', { responseFormat: { type: 'json' } }],
    ['service_tier', { openai: { service_tier: 'flex' } }],
    ['prompt_cache_key (hint)', { openai: { prompt_cache_key: 'k' } }],
    ['temperature: must be from 0 to 1', { temperature: 1.2 }],
    ['temperature: must be 1', { temperature: 0.5, reasoning: { effort: 'low' } }],
    ['top_p: must be', { topP: 0.5, reasoning: { effort: 'low' } }],
    ['top_k: must be left out', { topK: 5, reasoning: { effort: 'low' } }],
    ['tool_choice: must be', { toolChoice: { type: 'required' }, reasoning: { effort: 'low' } }],
  ] as [string, Partial<ChatRequest>][])(
    'says what Anthropic has no counterpart for, and what would be right: %s',
    (loss, members) => {
      expect(lost(members)).toEqual([expect.stringContaining(loss)]);
      const name = loss.split(/\W/)[0] ?? '';
      expect(written(members)).not.toHaveProperty(name);
    },
  );

  it('loses reasoning on a model whose answers are too short for it', () => {
    expect(lost({ reasoning: { effort: 'low' } }, { maxOutputTokens: 1024 })).toEqual([
      expect.stringContaining('reasoning_effort: needs a model'),
    ]);
  });

  it.each([
    ['claude-sonnet-4-5', { thinking: { type: 'enabled', budget_tokens: 4096 } }],
    ['claude-opus-4-6', { thinking: ADAPTIVE, output_config: { effort: 'medium' } }],
    ['claude-opus-5', { thinking: ADAPTIVE, output_config: { effort: 'medium' } }],
    ['claude-sonnet-4-20250514', { thinking: { type: 'enabled', budget_tokens: 4096 } }],
  ])('asks %s to think in the way it knows, and to show it', (model, expected) => {
    const { body } = writeRequest(request({ reasoning: { effort: 'medium' } }), { model, maxOutputTokens: 32_000 });
    expect(body).toMatchObject(expected);
  });

  it('asks for a high effort where it is left to the model', () => {
    expect(written({ reasoning: { isAdaptive: true } }, 64_000)['thinking']).toMatchObject({ budget_tokens: 16_384 });
    expect(writtenFor('claude-opus-5', { reasoning: { isAdaptive: true } })).toMatchObject({
      output_config: { effort: 'high' },
    });
  });

  it.each([
    ['claude-opus-4-6', 'xhigh', 'high'],
    ['claude-opus-5', 'minimal', 'low'],
  ] as const)('asks %s, which does not know the effort %s, for %s, and names it', (model, effort, nearest) => {
    expect(writtenFor(model, { reasoning: { effort } })).toMatchObject({
      thinking: ADAPTIVE,
      output_config: { effort: nearest },
    });
    expect(lost({ reasoning: { effort } }, { model })).toEqual(['reasoning_effort (hint)']);
  });

  it.each<[string, Partial<ChatRequest>, string[]]>([
    ['claude-opus-4-8', { temperature: 0.7, topP: 0.9, topK: 1 }, ['temperature: must', 'top_p: must', 'top_k: must']],
    ['claude-opus-4-8', { temperature: 1, topP: 1 }, ['temperature (hint)', 'top_p (hint)']],
    ['claude-sonnet-4-5', { temperature: 0.7, topP: 0.9 }, ['top_p: must be left out for this model']],
    ['claude-sonnet-4-5', { temperature: 0.7, topP: 1 }, ['top_p (hint)']],
    ['claude-sonnet-4-5', { temperature: 1, topP: 0.9 }, ['temperature (hint)']],
    ['claude-opus-5-5', { reasoning: { effort: 'none' } }, ['reasoning_effort: must be left out or ask for some']],
    ['claude-fable-5-2', { toolChoice: { type: 'required' } }, ["tool_choice: must be 'auto' or 'none' for this"]],
  ])('names what %s does not take, and leaves it out: %j', (model, members, expected) => {
    expect(lost(members, { model })).toEqual(expected.map((loss) => expect.stringContaining(loss)));
    const body = writtenFor(model, { ...members, tools: [{ name: 't' }] });
    for (const loss of expected) expect(body).not.toHaveProperty(loss.split(/\W/)[0] ?? '');
    expect(body).not.toHaveProperty('thinking');
  });

  it.each<[string, Partial<ChatRequest>]>([
    ['claude-opus-4-8', { reasoning: { effort: 'xhigh' } }],
    ['claude-opus-5', { toolChoice: { type: 'required' }, reasoning: { effort: 'high' } }],
    ['claude-haiku-5-5', { reasoning: { effort: 'none' } }],
    ['claude-sonnet-4-5', { temperature: 0.7 }],
    ['claude-sonnet-4', { temperature: 0.7, topP: 0.9, topK: 5 }],
  ])('leaves nothing out that %s takes: %j', (model, members) => {
    expect(lost(members, { model })).toEqual([]);
  });

  it('asks for an answer of a form', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const body = written({ responseFormat: { type: 'json-schema', name: 'n', schema, strict: true } });
    expect(body['output_config']).toEqual({ format: { type: 'json_schema', schema } });
  });

  it('closes the objects of a schema that is not strict, as Anthropic wants it', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const body = written({ responseFormat: { type: 'json-schema', name: 'n', schema } });
    expect(body['output_config']).toEqual({
      format: { type: 'json_schema', schema: { ...schema, additionalProperties: false } },
    });
  });

  it('writes pictures, documents and marks for the cache, in results of tools too', () => {
    const cache = { ttl: '1h', path: 'x' } as const;
    const image = {
      type: 'image',
      source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
      path: 'a',
    } as const;
    const remote = {
      type: 'image',
      source: { type: 'url', url: 'https://a.test/b.png' },
      detail: 'low',
      path: 'b',
    } as const;
    const pdf = {
      type: 'document',
      source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' },
      name: 'a.pdf',
      cache,
      path: 'c',
    } as const;
    const text = {
      type: 'document',
      source: { type: 'base64', mediaType: 'text/plain', data: btoa('plain') },
      path: 'd',
    } as const;
    const messages: ChatMessage[] = [
      { role: 'user', content: [image, remote, pdf, text] },
      { role: 'assistant', content: [], toolCalls: [{ id: 't', name: 'f', arguments: '{}' }] },
      { role: 'tool', toolCallId: 't', content: [{ type: 'text', text: 'see', cache }, image] },
    ];
    const base64 = { type: 'base64', media_type: 'image/png', data: 'AAAA' };
    expect(written({ messages })['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: base64 },
          { type: 'image', source: { type: 'url', url: 'https://a.test/b.png' } },
          {
            type: 'document',
            source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
            title: 'a.pdf',
            cache_control: { type: 'ephemeral', ttl: '1h' },
          },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 't',
            content: [
              { type: 'text', text: 'see', cache_control: { type: 'ephemeral', ttl: '1h' } },
              { type: 'image', source: base64 },
            ],
          },
        ],
      },
    ]);
    expect(lost({ messages })).toEqual(['b.detail (hint)']);
  });

  it.each(['{"a":', '[]', '"x"'])('refuses tool arguments %s', (text) => {
    const messages: ChatMessage[] = [
      HELLO,
      { role: 'assistant', content: [], toolCalls: [{ id: 'a', name: 'b', arguments: text }] },
    ];
    expect(refusal(() => written({ messages }))).toEqual({
      code: 'invalid_parameter',
      param: 'messages[1].tool_calls[0].function.arguments',
    });
  });

  it('refuses messages that say nothing', () => {
    expect(refusal(() => written({ messages: [{ role: 'user', content: [] }] }))).toEqual({
      code: 'invalid_parameter',
      param: 'messages',
    });
  });

  it('writes what readRequest reads back as the same request', () => {
    const original = request({
      model: 'claude-sonnet-4',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        HELLO,
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'hm', signature: 's' },
            { type: 'text', text: 'Looking.' },
          ],
          toolCalls: [{ id: 'c1', name: 't', arguments: '{"a":[1,2]}' }],
        },
        { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: 'x' }], isError: true },
        { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
      ],
      stream: true,
      maxOutputTokens: 100,
      temperature: 0.3,
      topP: 0.9,
      topK: 5,
      stop: ['END'],
      tools: [{ name: 't', description: 'd', parameters: { type: 'object', properties: {} } }],
      toolChoice: { type: 'required' },
      parallelToolCalls: false,
      reasoning: { budgetTokens: 0 },
      user: 'u',
    });
    const { source: _, includeUsage: __, ...read } = readRequest(writeRequest(original, TARGET).body);
    const { source: ___, includeUsage: ____, ...expected } = original;
    expect(read).toEqual(expected);
  });
});

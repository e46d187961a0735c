import { describe, expect, test } from 'vitest';
import { listOr, type JsonObject } from '../chat/json.ts';
import { NOTHING_USED } from '../cost/receipt.ts';
import { estimateInput } from '../cost/estimate-tokens.ts';
import { isGatewayError } from '../errors.ts';
import { anthropicDialect } from './anthropic/anthropic-dialect.ts';
import type { Dialect } from './dialect.ts';
import { openaiDialect } from './openai/openai-dialect.ts';
import type { Quirks } from './quirks.ts';
import { responsesDialect } from './responses/responses-dialect.ts';

const TARGET = { model: 'm', maxOutputTokens: 64_000 };
const QUESTION = { role: 'user', content: 'a' };
const BEGUN = { role: 'assistant', content: 'The answer is (' };
const DIALECTS = [openaiDialect, anthropicDialect, responsesDialect];

describe('a relayed request', () => {
  test('keeps what only its own provider understands', () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'system', content: [], output_config: { effort: 'low' } },
      { role: 'assistant', content: 'The answer is (' },
    ];
    const body = { model: 'm', max_tokens: 0, thinking: { type: 'between_tools' }, cache_control: null, messages };
    expect(anthropicDialect.patchRequest(anthropicDialect.readRequest(body), TARGET)).toEqual(body);
  });

  test('leaves the thoughts behind that Anthropic has not signed, and a message that held nothing else', () => {
    const thought = { type: 'thinking', thinking: 'Hm', signature: '' };
    const signed = { type: 'thinking', thinking: 'Hm', signature: 's' };
    const text = { type: 'text', text: 'Yes' };
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [thought] },
      { role: 'user', content: 'b' },
      { role: 'assistant', content: [thought, signed, text] },
    ];
    const request = anthropicDialect.readRequest({ max_tokens: 9, messages });
    expect(anthropicDialect.patchRequest(request, TARGET)['messages']).toEqual([
      messages[0],
      messages[2],
      { role: 'assistant', content: [signed, text] },
    ]);
  });

  test("is put in a server's own words where it has others for the same", () => {
    const request = openaiDialect.readRequest({
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 5,
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: 'required',
      messages: [
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'B' },
      ],
    });
    const quirks = {
      noStreamOptions: true,
      maxTokensMember: 'max_tokens',
      requiredToolChoice: 'any',
      shortToolCallIds: true,
    } as const;
    const body = openaiDialect.patchRequest(request, { ...TARGET, quirks });
    expect(body).toMatchObject({ max_tokens: 5, tool_choice: 'any', stream: true });
    expect(body).not.toHaveProperty('stream_options');
    expect(body).not.toHaveProperty('max_completion_tokens');
    const [call, result] = body['messages'] as [{ tool_calls: { id: string }[] }, { tool_call_id: string }];
    expect(result.tool_call_id).toMatch(/^[a-z0-9]{9}$/);
    expect(call.tool_calls[0]?.id).toBe(result.tool_call_id);
  });
});

test('a document goes to a server that takes its address in those words, relayed and translated', () => {
  const data = 'data:application/pdf;base64,JVBERg==';
  const target = { ...TARGET, quirks: { documentUrl: true } } as const;
  const own = {
    messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: data, filename: 'a.pdf' } }] }],
  };
  const expected = { type: 'document_url', document_url: data, document_name: 'a.pdf' };
  expect(openaiDialect.patchRequest(openaiDialect.readRequest(own), target)['messages']).toEqual([
    { role: 'user', content: [expected] },
  ]);
  const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' };
  const link = { type: 'url', url: 'https://a.test/b.pdf' };
  const content = [
    { type: 'document', source, title: 'a.pdf' },
    { type: 'document', source: link },
  ];
  const foreign = anthropicDialect.readRequest({ max_tokens: 9, messages: [{ role: 'user', content }] });
  expect(openaiDialect.writeRequest(foreign, target)).toMatchObject({
    body: { messages: [{ role: 'user', content: [expected, { type: 'document_url', document_url: link.url }] }] },
    losses: [],
  });
});

describe('a translated request', () => {
  test('has no empty list of tools, and no choice of none', () => {
    const request = anthropicDialect.readRequest({
      max_tokens: 9,
      messages: [{ role: 'user', content: 'a' }],
      tools: [],
      stop_sequences: [],
      tool_choice: { type: 'auto' },
    });
    for (const dialect of [openaiDialect, responsesDialect]) {
      const { body } = dialect.writeRequest(request, TARGET);
      for (const member of ['tools', 'stop', 'tool_choice']) expect(body).not.toHaveProperty(member);
    }
  });

  test.each([
    ['an answer that has begun', { messages: [QUESTION, BEGUN] }, 'messages[1]'],
    ['a bound of no tokens', { max_tokens: 0 }, 'max_tokens'],
  ])('has no trace of %s, and names it', (_name, members, path) => {
    const request = anthropicDialect.readRequest({ max_tokens: 9, messages: [QUESTION], ...members });
    for (const dialect of [openaiDialect, responsesDialect]) {
      const { body, losses } = dialect.writeRequest(request, TARGET);
      expect(losses).toMatchObject([{ path, rule: expect.stringMatching(/^must /) }]);
      expect(JSON.stringify(body)).not.toMatch(/answer|:0/);
    }
  });

  test.each([openaiDialect, responsesDialect])('is not written in $name when nothing is left of it', (dialect) => {
    const request = anthropicDialect.readRequest({ max_tokens: 9, messages: [BEGUN] });
    expect(() => dialect.writeRequest(request, TARGET)).toThrow('messages must hold at least one message');
  });

  test.each([openaiDialect, anthropicDialect])("in $name is refused by its caller's own name for it", (dialect) => {
    const request = responsesDialect.readRequest({ input: [{ type: 'something_new' }] });
    expect(() => dialect.writeRequest(request, TARGET)).toThrow('input must hold at least one message');
  });

  test("says how to cache to OpenAI's other API, and names it as a hint to anyone else", () => {
    const options = { mode: 'explicit', ttl: '30m' };
    const request = openaiDialect.readRequest({
      messages: [{ role: 'user', content: 'a' }],
      prompt_cache_options: options,
    });
    const written = responsesDialect.writeRequest(request, TARGET);
    expect(written).toMatchObject({ body: { prompt_cache_options: options }, losses: [] });
    const { losses } = anthropicDialect.writeRequest(request, TARGET);
    expect(losses).toEqual([{ path: 'prompt_cache_options', isHint: true }]);
  });

  test('says in its place what the system says between the turns', () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'system', content: 'b' },
      { role: 'user', content: 'c' },
    ];
    const request = anthropicDialect.readRequest({ max_tokens: 9, messages });
    expect(openaiDialect.writeRequest(request, TARGET).body).toMatchObject({ messages });
    const input = messages.map(({ role }) => ({ role }));
    expect(responsesDialect.writeRequest(request, TARGET).body).toMatchObject({ input });
  });

  test.each([
    ['messages', anthropicDialect],
    ['input', responsesDialect],
  ])('takes reasoning in its %s back to where it was signed, and to nobody else', (member, dialect) => {
    const format = 'google-gemini-v1';
    const details = [
      { type: 'reasoning.text', text: 'Hm', signature: 'SIG', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'ENC', format, id: 'tool_0_f.g', index: 1 },
    ];
    const message = { role: 'assistant', content: 'Yes', reasoning_details: details };
    const parts = openaiDialect.readAnswer({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    const identity = { requestId: 'req_0f', model: 'm', created: 1_700_000_000 };
    const answer: JsonObject = JSON.parse(dialect.writeAnswer(parts, identity, NOTHING_USED));
    const question = { role: 'user', content: 'a' };
    const said = listOr(answer['output'] ?? [{ role: 'assistant', content: answer['content'] }]);
    const request = dialect.readRequest({ max_tokens: 9, [member]: [question, ...said, question] });
    const quirks = { reasoningBack: 'reasoning_details' } as const;
    expect(openaiDialect.writeRequest(request, { ...TARGET, quirks }).body).toMatchObject({
      messages: [question, message, question],
    });
    expect(JSON.stringify(dialect.patchRequest(request, TARGET))).not.toMatch(/SIG|ENC/);
    for (const other of DIALECTS) {
      expect(JSON.stringify(other.writeRequest(request, TARGET).body)).not.toMatch(/SIG|ENC/);
    }
  });

  test('with a text that is not the base64 it says is refused by name', () => {
    const file = { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain;base64,@@@' } };
    const request = openaiDialect.readRequest({ messages: [{ role: 'user', content: [file] }] });
    let error: unknown;
    try {
      anthropicDialect.writeRequest(request, TARGET);
    } catch (reason) {
      error = reason;
    }
    expect(isGatewayError(error) && { code: error.code, param: error.param }).toEqual({
      code: 'invalid_parameter',
      param: 'messages[0].content[0]',
    });
  });

  const THOUGHT = { type: 'thinking', thinking: 'Hm', signature: 's' };
  const REDACTED = { type: 'redacted_thinking', data: 'd' };
  const said = (...content: object[]) => ({
    max_tokens: 9,
    messages: [QUESTION, { role: 'assistant', content: [...content, { type: 'text', text: 'Yes' }] }, QUESTION],
  });
  const LEFT = 'messages[].content[].thinking';
  const CACHE = { cache_control: { type: 'ephemeral' } };
  const VLLM = { reasoningBack: 'reasoning' } as const;
  const DEEPSEEK = { reasoningMember: 'thinking' } as const;
  const ask = (members: object) => ({ messages: [QUESTION], ...members });

  test.each<[string, Dialect, object, Dialect, Quirks | undefined, readonly string[]]>([
    ['thoughts', anthropicDialect, said(THOUGHT, THOUGHT), openaiDialect, undefined, [LEFT]],
    ['thoughts', anthropicDialect, said(THOUGHT), responsesDialect, undefined, [LEFT]],
    ['no thoughts that are taken', anthropicDialect, said(THOUGHT), openaiDialect, VLLM, []],
    ['encrypted thoughts', anthropicDialect, said(THOUGHT, REDACTED), openaiDialect, VLLM, [LEFT]],
    [
      'thoughts',
      openaiDialect,
      ask({ messages: [{ role: 'assistant', content: 'a', reasoning_content: 'Hm' }, QUESTION] }),
      anthropicDialect,
      undefined,
      ['messages[].reasoning_content'],
    ],
    [
      'thoughts',
      responsesDialect,
      { input: [{ type: 'reasoning', id: 'rs_a', summary: [], encrypted_content: 'e' }, QUESTION] },
      anthropicDialect,
      undefined,
      ['input[].summary'],
    ],
    [
      'how often usage is told',
      openaiDialect,
      ask({ stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } }),
      anthropicDialect,
      undefined,
      ['stream_options.continuous_usage_stats'],
    ],
    [
      'a cache mark on no text',
      openaiDialect,
      ask({ messages: [{ role: 'system', content: [{ type: 'text', text: '', ...CACHE }] }, QUESTION] }),
      anthropicDialect,
      undefined,
      ['messages[0].content[0].cache_control'],
    ],
    [
      "a cache mark on the assistant's text",
      anthropicDialect,
      said({ type: 'text', text: 'a', ...CACHE }),
      responsesDialect,
      undefined,
      ['messages[1].content[0].cache_control'],
    ],
    [
      'a cache mark on a result of nothing',
      anthropicDialect,
      ask({
        max_tokens: 9,
        messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', ...CACHE }] }],
      }),
      openaiDialect,
      undefined,
      ['messages[0].content[0].cache_control'],
    ],
    [
      'what was cited',
      anthropicDialect,
      said({ type: 'text', text: 'a', citations: [{ type: 'char_location' }] }),
      openaiDialect,
      undefined,
      ['messages[1].content[0].citations'],
    ],
    [
      'what was cited',
      openaiDialect,
      ask({ messages: [{ role: 'assistant', content: 'a', annotations: [{ type: 'url_citation' }] }, QUESTION] }),
      anthropicDialect,
      undefined,
      ['messages[0].annotations'],
    ],
    [
      'a bound above the model',
      openaiDialect,
      ask({ max_tokens: 64_001 }),
      anthropicDialect,
      undefined,
      ['max_tokens'],
    ],
    ['no bound that fits', openaiDialect, ask({ max_tokens: 64_000 }), anthropicDialect, undefined, []],
    [
      'a bound above the model',
      openaiDialect,
      ask({ max_completion_tokens: 64_001 }),
      anthropicDialect,
      undefined,
      ['max_completion_tokens'],
    ],
    [
      'a bound above the model',
      responsesDialect,
      { input: 'a', max_output_tokens: 64_001 },
      anthropicDialect,
      undefined,
      ['max_output_tokens'],
    ],
    [
      'how much to think where that is on or off',
      responsesDialect,
      { input: 'a', reasoning: { effort: 'high' } },
      openaiDialect,
      DEEPSEEK,
      ['reasoning'],
    ],
    [
      'no effort that is what on means',
      responsesDialect,
      { input: 'a', reasoning: { effort: 'medium' } },
      openaiDialect,
      DEEPSEEK,
      [],
    ],
  ])('names as a hint %s that is left behind', (_name, from, body, to, quirks, paths) => {
    const request = from.readRequest(body as JsonObject);
    const { losses } = to.writeRequest(request, { ...TARGET, quirks });
    expect(losses).toEqual(paths.map((path) => ({ path, isHint: true })));
  });

  test('asks for the effort that its model knows', () => {
    const request = openaiDialect.readRequest({ messages: [{ role: 'user', content: 'a' }], reasoning_effort: 'max' });
    const { body } = anthropicDialect.writeRequest(request, { ...TARGET, model: 'claude-opus-4-6' });
    expect(body).toMatchObject({ output_config: { effort: 'max' } });
    expect(openaiDialect.writeRequest(request, TARGET).body).toMatchObject({ reasoning_effort: 'max' });
  });
});

test('a message of very many parts is read and written', () => {
  const content = Array.from({ length: 200_000 }, () => ({ type: 'text', text: 'a' }));
  const request = openaiDialect.readRequest({
    messages: [
      { role: 'user', content: 'a' },
      { role: 'user', content },
      { role: 'assistant', content },
    ],
  });
  for (const dialect of DIALECTS) expect(() => dialect.writeRequest(request, TARGET)).not.toThrow();
});

test('what has no neutral words is bounded by its bytes', () => {
  const output = 'y'.repeat(100_000);
  const request = responsesDialect.readRequest({ input: [{ type: 'custom_tool_call_output', call_id: 'c', output }] });
  expect(estimateInput(request).bound).toBeGreaterThan(100_000);
});

test.each(['file:///etc/passwd', 'ftp://a.test/b', 'gopher://a'])('no picture is read from %s', (url) => {
  const image = { type: 'image', source: { type: 'url', url } };
  const body = { max_tokens: 9, messages: [{ role: 'user', content: [image] }] };
  expect(() => anthropicDialect.readRequest(body)).toThrow(/https/);
});

import { describe, expect, test } from 'vitest';
import type { ChatMessage, ContentPart } from '../../chat/chat-request.ts';
import { listOr, objectOr, type JsonObject } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { NOTHING_USED } from '../../cost/receipt.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { readStream } from '../../testing/__fixtures__/parse-events.ts';
import { patchRequest } from './patch-request.ts';
import { readAnswer } from './read-answer.ts';
import { readRequest } from './read-request.ts';
import { writeRequest } from './write-request.ts';
import { responsesDialect } from './responses-dialect.ts';
import { createStreamWriter, writeAnswer, writeStreamError } from './write-stream.ts';

const IDENTITY = { requestId: 'r', model: 'm', created: 1_700_000_000 };
const TARGET = { model: 'gpt-5' };

function refusalOf(body: JsonObject): { code: string; param: string | undefined } {
  try {
    readRequest(body);
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error('it was taken');
}

/** The data of the events that a list of parts makes. */
function eventsOf(parts: readonly StreamPart[]): JsonObject[] {
  const writer = createStreamWriter(IDENTITY);
  const text = parts.map((part) => writer.write(part)).join('') + writer.end(NOTHING_USED);
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']): JsonObject => JSON.parse(data));
}

describe('a request', () => {
  test('with all that has neutral words is read', () => {
    const request = readRequest({
      model: 'gpt-5',
      instructions: 'Be brief.',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: 'https://a.test/b.png', detail: 'low' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'enc' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'B' },
      ],
      max_output_tokens: 20,
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: true }],
      tool_choice: { type: 'function', name: 'f' },
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' } }, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      store: false,
      metadata: {},
    });
    const { source: _, ...members } = request;
    expect(members).toEqual({
      model: 'gpt-5',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            {
              type: 'image',
              source: { type: 'url', url: 'https://a.test/b.png' },
              detail: 'low',
              path: 'input[0].content[1]',
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'Hm.', signature: 'enc', format: 'openai', id: 'rs_1' },
            { type: 'text', text: 'I look.' },
          ],
          toolCalls: [{ id: 'c1', name: 'f', arguments: '{}' }],
        },
        { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: 'B' }] },
      ],
      stream: false,
      includeUsage: true,
      choices: 1,
      maxOutputTokens: 20,
      tools: [{ name: 'f', parameters: { type: 'object' }, strict: true }],
      toolChoice: { type: 'tool', name: 'f' },
      responseFormat: { type: 'json-schema', name: 'n', schema: { type: 'object' } },
      reasoning: { effort: 'high' },
      logprobs: 0,
      openai: { verbosity: 'low' },
      losses: [],
    });
  });

  test.each<[JsonObject, string]>([
    [{}, 'input'],
    [{ input: [] }, 'input'],
    [{ input: [1] }, 'input[0]'],
    [{ input: [{ role: 'tool', content: 'a' }] }, 'input[0].role'],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input[0]'],
    [{ input: [{ id: 'msg_1' }] }, 'input[0]'],
    [{ input: [{ type: null, id: 'msg_1' }] }, 'input[0]'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'ftp://a' }] }] },
      'input[0].content[0].image_url',
    ],
    [{ input: 'a', store: true }, 'store'],
    [{ input: 'a', previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ input: 'a', temperature: 3 }, 'temperature'],
    [{ input: 'a', text: { format: { type: 'json_schema' } } }, 'text.format.name'],
    [{ input: 'a', tool_choice: 'some' }, 'tool_choice'],
    [{ input: 'a', tool_choice: 'required' }, 'tool_choice'],
  ])('%j is refused by name', (body, param) => {
    expect(refusalOf(body)).toEqual({ code: 'invalid_parameter', param });
  });

  test('loses by name what has no neutral words, and takes for hints what an answer says of itself', () => {
    const { losses, openai } = readRequest({
      input: [
        { type: 'message', id: 'msg_1', status: 'completed', role: 'user', content: 'a', phase: null },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'b', prompt_cache_breakpoint: { mode: 'explicit' }, something_new: 1 },
            { type: 'input_file', file_url: 'https://a.test/b.pdf', detail: 'high' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', status: 'completed', summary: [], content: [], encrypted_content: 'enc' },
        {
          type: 'message',
          id: 'msg_2',
          status: 'completed',
          role: 'assistant',
          phase: 'commentary',
          content: [{ type: 'output_text', text: 'c', annotations: [{ type: 'url_citation' }], logprobs: [{}] }],
        },
        {
          type: 'function_call',
          id: 'fc_1',
          call_id: 'c1',
          name: 'f',
          arguments: '{}',
          namespace: 'n',
          async: false,
          parsed_arguments: { b: 1 },
        },
        {
          type: 'function_call',
          call_id: 'c2',
          name: 'f',
          arguments: '{}',
          caller: { type: 'program', caller_id: 'p' },
        },
        { type: 'function_call_output', call_id: 'c1', name: 'f', output: 'd', caller: { type: 'direct' } },
      ],
      tools: [{ type: 'function', name: 'f', async: false, defer_loading: false, allowed_callers: ['direct'] }],
      prompt_cache_options: { mode: 'explicit', ttl: '12h', prewarm: true },
      user: 'u1',
      safety_identifier: 'u2',
    });
    expect(
      losses
        .filter(({ isHint }) => isHint === undefined)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['input[1].content[0].something_new', 'prompt_cache_options.prewarm']);
    expect(
      losses
        .filter(({ isHint }) => isHint)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual([
      'input[1].content[0].prompt_cache_breakpoint',
      'input[1].content[1].detail',
      'input[3].content[0].annotations',
      'input[3].content[0].logprobs',
      'input[3].phase',
      'input[4].namespace',
      'input[5].caller',
      'safety_identifier',
    ]);
    expect(openai).toEqual({ prompt_cache_options: { mode: 'explicit', ttl: '12h' } });
  });

  test('takes for a hint which client asks, and for nothing that no alternatives to tokens are wanted', () => {
    const request = readRequest({ input: 'a', client_metadata: { 'x-codex-installation-id': 'i' }, top_logprobs: 0 });
    expect(request.losses).toEqual([{ path: 'client_metadata', isHint: true }]);
    expect(request.logprobs).toBeUndefined();
  });

  test('keeps each thought before what it led to', () => {
    const thought = (n: number): ContentPart => ({ type: 'redacted-reasoning', data: `d${n}`, format: 'openai' });
    const text = (said: string): ContentPart => ({ type: 'text', text: said });
    const request = readRequest({ input: 'a' });
    const answer: ChatMessage = {
      role: 'assistant',
      content: [thought(1), text('b'), text('c'), thought(2), text('d'), thought(3)],
      toolCalls: [{ id: 'c1', name: 'f', arguments: '{}' }],
    };
    const { body } = writeRequest({ ...request, messages: [...request.messages, answer] }, TARGET);
    expect(
      listOr(body['input']).map((item) => objectOr(item)['encrypted_content'] ?? objectOr(item)['content']),
    ).toEqual([
      [{ type: 'input_text', text: 'a' }],
      'd1',
      [
        { type: 'output_text', text: 'b', annotations: [] },
        { type: 'output_text', text: 'c', annotations: [] },
      ],
      'd2',
      [{ type: 'output_text', text: 'd', annotations: [] }],
      'd3',
      undefined,
    ]);
  });

  test('goes to OpenAI without the name that our own answers have given to a thought of its', () => {
    const thought = { type: 'reasoning', id: 'rs_req_0f_2', summary: [], encrypted_content: 'enc' };
    const body = { model: 'x', input: [{ role: 'user', content: 'a' }, thought] };
    const { id: _, ...nameless } = thought;
    const request = readRequest(body);
    expect(patchRequest(request, TARGET)['input']).toEqual([body.input[0], nameless]);
    expect(request.messages[1]?.content).toEqual([{ type: 'redacted-reasoning', data: 'enc', format: 'openai' }]);
  });

  test("takes back another provider's reasoning from our own answers", () => {
    const parts: StreamPart[] = [
      { type: 'reasoning-delta', choice: 0, text: 't' },
      { type: 'reasoning-signature', choice: 0, signature: 'SIG', format: 'google-gemini-v1' },
      { type: 'redacted-reasoning', choice: 0, data: 'ENC', format: 'google-gemini-v1', id: 'tool_0' },
    ];
    const { output }: JsonObject = JSON.parse(writeAnswer(parts, IDENTITY, NOTHING_USED));
    const request = readRequest({ input: listOr(output) });
    expect(request.messages[0]?.content).toEqual([
      { type: 'reasoning', text: 't', signature: 'SIG', format: 'google-gemini-v1' },
      { type: 'redacted-reasoning', data: 'ENC', format: 'google-gemini-v1', id: 'tool_0' },
    ]);
    expect(patchRequest(request, TARGET)['input']).toEqual([]);
  });

  test('compares its cache with no stored response', () => {
    const options = { comparison_response_id: 'resp_1' };
    expect(refusalOf({ input: 'a', prompt_cache_options: options }).param).toBe(
      'prompt_cache_options.comparison_response_id',
    );
  });

  test('names no host', () => {
    expect(refusalOf({ input: [{ role: 'user', content: 'a', api_base: 'x' }] }).param).toBe('input[0].api_base');
  });

  test('has any names in schemas, and in what is given to prompts, tools and shells', () => {
    const any = { proxy: { type: 'string' }, base_url: {} };
    const { losses } = readRequest({
      input: [
        { role: 'user', content: 'a' },
        { type: 'tool_search_call', arguments: any },
        { type: 'local_shell_call', action: { type: 'exec', env: { http_proxy: 'x', proxy: 'y' } } },
        { type: 'mcp_list_tools', tools: [{ name: 'f', input_schema: { properties: any } }] },
      ],
      prompt: { id: 'p', variables: any },
      tools: [{ type: 'function', name: 'f', parameters: any, output_schema: { properties: any } }],
    });
    expect(losses.map(({ path }) => path)).toContain('tools[0].output_schema');
  });

  test('goes to a provider of its dialect as it is, but nothing is stored and foreign reasoning stays behind', () => {
    const own = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'enc' };
    const foreign = { ...own, encrypted_content: 'tokenhub.anthropic.signature.s' };
    const unproved = { type: 'reasoning', id: 'rs_2', summary: [{ type: 'summary_text', text: 'Hm' }] };
    const body = { model: 'x', input: [{ role: 'user', content: 'a' }, own, foreign, unproved], something_new: 1 };
    expect(patchRequest(readRequest(body), TARGET)).toEqual({
      ...body,
      model: 'gpt-5',
      input: [{ role: 'user', content: 'a' }, own],
      store: false,
    });
  });

  test('is written back as it was read', () => {
    const request = readRequest({
      model: 'gpt-5',
      input: [
        { role: 'user', content: 'Look' },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'enc' },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }],
        },
      ],
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_object' } },
    });
    const { body, losses } = writeRequest(request, TARGET);
    expect(losses).toEqual([]);
    const { source: _, ...again } = readRequest(body);
    const { source: __, ...first } = request;
    expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(first)));
    expect(body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });
  });
});

describe('an answer', () => {
  const parts: StreamPart[] = [
    { type: 'reasoning-delta', choice: 0, text: 'Hm' },
    { type: 'reasoning-signature', choice: 0, signature: 'sig' },
    { type: 'redacted-reasoning', choice: 0, data: 'secret' },
    { type: 'text-delta', choice: 0, text: 'Ye' },
    { type: 'text-delta', choice: 0, text: 's' },
    { type: 'citation', choice: 0, url: 'https://a.test/', title: 'A' },
    { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '{' },
    { type: 'tool-call-delta', choice: 0, index: 1, id: 'c2', name: 'g', arguments: '{}' },
    { type: 'tool-call-delta', choice: 0, index: 0, arguments: '}' },
    { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'tool_use' } },
  ];

  test('is streamed in numbered events, each item opened and closed once, and repeated whole at its end', () => {
    const events = eventsOf(parts);
    expect(events.map((event) => event['sequence_number'])).toEqual([...events.keys()]);
    for (const place of [0, 1, 2, 3, 4]) {
      const own = events.filter((event) => event['output_index'] === place).map(({ type }) => type);
      expect(own[0]).toBe('response.output_item.added');
      expect(own.at(-1)).toBe('response.output_item.done');
      expect(own.filter((type) => type === 'response.output_item.done')).toHaveLength(1);
    }
    const last = events.at(-1);
    const response: JsonObject = JSON.parse(writeAnswer(parts, IDENTITY, NOTHING_USED));
    expect(last).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
    expect(last?.['response']).toEqual(response);
  });

  test('says the same when it is read again, whose reasoning it is included', () => {
    const read = readAnswer(JSON.parse(writeAnswer(parts, IDENTITY, NOTHING_USED)));
    expect(read.filter(({ type }) => type !== 'start' && type !== 'usage')).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'Hm' },
      { type: 'reasoning-signature', choice: 0, signature: 'sig' },
      { type: 'redacted-reasoning', choice: 0, data: 'secret' },
      { type: 'text-delta', choice: 0, text: 'Yes' },
      { type: 'citation', choice: 0, url: 'https://a.test/', title: 'A', start: 0, end: 0 },
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '{}' },
      { type: 'tool-call-delta', choice: 0, index: 1, id: 'c2', name: 'g', arguments: '{}' },
      { type: 'finish', choice: 0, reason: { unified: 'tool_calls', raw: 'completed' } },
    ]);
  });

  test('that was cut off says so', () => {
    const cut = eventsOf([
      { type: 'text-delta', choice: 0, text: 'a' },
      { type: 'finish', choice: 0, reason: { unified: 'length', raw: 'length' } },
    ]).at(-1);
    expect(cut).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    });
  });

  test('that ended for a reason nobody knows is not asked for again', () => {
    const end: StreamPart = { type: 'finish', choice: 0, reason: { unified: 'other', raw: 'something_new' } };
    expect(eventsOf([end]).at(-1)).toMatchObject({
      type: 'response.completed',
      response: { status: 'completed', incomplete_details: null },
    });
  });

  test('that was cut off says so of the item that it was cut off in, and of no other', () => {
    const cut: StreamPart[] = [
      { type: 'text-delta', choice: 0, text: 'a' },
      { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '{"b":' },
      { type: 'finish', choice: 0, reason: { unified: 'length', raw: 'length' } },
    ];
    const events = eventsOf(cut);
    const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => objectOr(item));
    expect(done.map(({ status }) => status)).toEqual(['completed', 'incomplete']);
    expect(objectOr(events.at(-1)?.['response'])['output']).toEqual(done);
    expect(objectOr(JSON.parse(writeAnswer(cut, IDENTITY, NOTHING_USED)))['output']).toEqual(done);
  });

  test('has an empty object for arguments that were never sent, unless it was cut off before them', () => {
    const call: StreamPart = { type: 'tool-call-delta', choice: 0, index: 0, id: 'c1', name: 'f', arguments: '' };
    const read = (unified: 'tool_calls' | 'length'): unknown[] =>
      eventsOf([call, { type: 'finish', choice: 0, reason: { unified, raw: unified } }])
        .filter(({ type }) => type !== 'response.in_progress')
        .map(({ delta, item, arguments: text }) => delta ?? text ?? objectOr(item)['arguments']);
    expect(read('tool_calls')).toEqual([undefined, '', '{}', '{}', '{}', undefined]);
    expect(read('length')).toEqual([undefined, '', '', '', undefined]);
  });

  test('whose log probabilities have no bytes is read with none, as chat completions write it', () => {
    const token = { token: 'a', logprob: -1, top_logprobs: [{ token: 'b', logprob: -2 }] };
    const text = { type: 'output_text', text: 'a', logprobs: [token] };
    expect(readAnswer({ output: [{ type: 'message', content: [text] }] })).toContainEqual({
      type: 'logprobs',
      choice: 0,
      of: 'text',
      tokens: [{ ...token, bytes: null, top_logprobs: [{ token: 'b', logprob: -2, bytes: null }] }],
    });
  });

  test('that calls tools says so when it ends, though its server does not repeat them', () => {
    const said = (type: string, members: object): string =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`;
    const item = { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' };
    const stream =
      said('response.output_item.added', { output_index: 0, item }) +
      said('response.completed', { response: { status: 'completed', output: [] } });
    expect(readStream(responsesDialect, stream)).toContainEqual({
      type: 'finish',
      choice: 0,
      reason: { unified: 'tool_calls', raw: 'completed' },
    });
  });

  test('that broke off ends in a numbered error event', () => {
    const event = writeStreamError(new GatewayError('upstream_disconnected', 'It broke off.'), 'r', 7);
    expect(event).toMatch(/^event: error\ndata: /);
    expect(JSON.parse(event.slice(event.indexOf('{')))).toMatchObject({
      type: 'error',
      sequence_number: 7,
      code: 'upstream_disconnected',
      message: 'It broke off.',
      error: { type: 'upstream_error', request_id: 'r' },
    });
  });
});

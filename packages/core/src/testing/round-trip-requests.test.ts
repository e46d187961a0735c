import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../chat/chat-request.ts';
import type { JsonObject } from '../chat/json.ts';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { rulesOf } from '../dialects/anthropic/model-rules.ts';
import type { Dialect, WrittenRequest } from '../dialects/dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { arbitraryRequest } from './__fixtures__/arbitrary-request.ts';
import { DIALECT_PAIRS } from './__fixtures__/dialect-pairs.ts';
import { comparable, endsInAnswer, endsInToolLoop } from './__fixtures__/expect-request.ts';

const RUNS = { numRuns: 200 };

const model = fc.constantFrom(
  'claude-3-7-sonnet',
  'claude-sonnet-4-5',
  'claude-opus-4-6',
  'claude-opus-4-8',
  'claude-opus-5-5',
);

interface Crossing {
  readonly request: ChatRequest;
  readonly dialect: Dialect;
  readonly model: string;
}

/** Writes a request, sends it as JSON, and reads it as its receiver would. */
function cross({ request, dialect, model: name }: Crossing): { written: WrittenRequest; read: ChatRequest } {
  const written = dialect.writeRequest(request, { model: name });
  const body: JsonObject = JSON.parse(JSON.stringify(written.body));
  return { written, read: dialect.readRequest(body) };
}

/** Reads what was written and finds in it all that is not named as lost. */
function expectKept(crossing: Crossing): ChatRequest {
  const { request, dialect } = crossing;
  const { written, read } = cross(crossing);
  const passage = { losses: written.losses, to: dialect.name };
  expect(comparable(read, passage)).toEqual(comparable(request, passage));
  expect(read.losses).toEqual([]);
  return read;
}

/** Within a budget, Anthropic's models do not begin to think in a tool loop: see the test on that below. */
function forModel(request: ChatRequest, name: string): ChatRequest {
  return endsInToolLoop(request) && !rulesOf(name).isAdaptive ? { ...request, reasoning: undefined } : request;
}

/** A last message of the assistant's is with Anthropic the beginning of the answer, and with others one as any. */
function endedFor({ name }: Dialect, request: ChatRequest): ChatRequest {
  if (name !== 'anthropic' || !endsInAnswer(request)) return request;
  return { ...request, messages: [...request.messages, { role: 'user', content: [{ type: 'text', text: 'Go on.' }] }] };
}

describe.each(DIALECT_PAIRS)('a request from $name', ({ from, to }) => {
  test('keeps all that is not named as lost', () => {
    const picturesInResults = from !== openaiDialect && to !== openaiDialect;
    const property = fc.property(arbitraryRequest({ picturesInResults }), model, (request, name) => {
      const first = expectKept({ request: endedFor(from, forModel(request, name)), dialect: from, model: name });
      expectKept({ request: endedFor(to, forModel(first, name)), dialect: to, model: name });
    });
    fc.assert(property, RUNS);
  });
});

const QUESTION: ChatRequest = {
  source: { dialect: 'openai', body: {} },
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  stream: false,
  includeUsage: false,
  choices: 1,
  losses: [],
};

function toAnthropic(members: Partial<ChatRequest>): { written: WrittenRequest; read: ChatRequest } {
  return cross({ request: { ...QUESTION, ...members }, dialect: anthropicDialect, model: 'claude-3-7-sonnet' });
}

describe('a request to Anthropic', () => {
  test('names the description of the response format as lost', () => {
    const format = { type: 'json-schema', description: 'An answer.', schema: { type: 'object' } } as const;
    expect(toAnthropic({ responseFormat: format }).written.losses).not.toEqual([]);
  });

  test('names reasoning as lost in a tool loop without signatures', () => {
    const { written } = toAnthropic({
      messages: [
        ...QUESTION.messages,
        { role: 'assistant', content: [], toolCalls: [{ id: 'a', name: 'f', arguments: '{}' }] },
        { role: 'tool', toolCallId: 'a', content: [] },
      ],
      reasoning: { effort: 'high' },
    });
    expect(written.losses).not.toEqual([]);
  });

  test('has no empty stop sequence', () => {
    expect(toAnthropic({ stop: [''] }).read.stop ?? []).toEqual([]);
  });

  test('has no choice of a tool where there are no tools', () => {
    expect(toAnthropic({ toolChoice: { type: 'auto' } }).written.body).not.toHaveProperty('tool_choice');
  });

  test('keeps the ids of two calls apart', () => {
    const toolCalls = ['a.b', 'a:b'].map((id) => ({ id, name: 'f', arguments: '{}' }));
    const { read } = toAnthropic({ messages: [...QUESTION.messages, { role: 'assistant', content: [], toolCalls }] });
    const ids = read.messages
      .flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []))
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  test('keeps the digits of large numbers in arguments', () => {
    const toolCalls = [{ id: 'a', name: 'f', arguments: '{"id":12345678901234567890}' }];
    const { written } = toAnthropic({
      messages: [...QUESTION.messages, { role: 'assistant', content: [], toolCalls }],
    });
    expect(JSON.stringify(written.body)).toContain('12345678901234567890');
  });
});

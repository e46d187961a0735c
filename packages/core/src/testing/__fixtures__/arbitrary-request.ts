import * as fc from 'fast-check';
import type {
  ChatMessage,
  ChatRequest,
  ContentPart,
  ReasoningRequest,
  ResponseFormat,
  TextPart,
  Tool,
  ToolChoice,
} from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import { hasControlCharacter } from '../../dialects/request-reading.ts';
import { anyText, base64, jsonObject, someText, toolName } from './arbitrary-text.ts';

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const textPart: fc.Arbitrary<TextPart> = anyText.map((text) => ({ type: 'text', text }));

const imagePart: fc.Arbitrary<ContentPart> = fc.record(
  {
    type: fc.constant('image' as const),
    source: fc.oneof(
      fc.record({
        type: fc.constant('base64' as const),
        mediaType: fc.constantFrom('image/png', 'image/jpeg'),
        data: base64,
      }),
      fc.constant({ type: 'url' as const, url: 'https://example.com/a,b;base64.png?c=d#e' }),
    ),
    detail: fc.constantFrom('low', 'high'),
    path: fc.constant('image'),
  },
  { requiredKeys: ['type', 'source', 'path'] },
);

const documentPart: fc.Arbitrary<ContentPart> = fc.record({
  type: fc.constant('document' as const),
  source: base64.map((data) => ({ type: 'base64' as const, mediaType: 'application/pdf', data })),
  name: someText,
  path: fc.constant('document'),
});

const userContent = fc.array(fc.oneof({ arbitrary: textPart, weight: 3 }, imagePart, documentPart), { maxLength: 3 });
const texts = fc.array(textPart, { maxLength: 2 });

const system: fc.Arbitrary<ChatMessage[]> = texts.map((content) => [{ role: 'system', content }]);
const user: fc.Arbitrary<ChatMessage[]> = userContent.map((content) => [{ role: 'user', content }]);

const reasoningPart: fc.Arbitrary<ContentPart> = fc
  .tuple(fc.constantFrom({}, { format: 'openai', id: 'rs_1' }, { format: 'google-gemini-v1' }), base64, fc.option(someText))
  .map(([origin, proof, text]) =>
    text === null
      ? { type: 'redacted-reasoning', data: proof, ...origin }
      : { type: 'reasoning', text, signature: proof, ...origin },
  );
/** Thoughts and texts in any order, at least one text among them. */
const thoughtful: fc.Arbitrary<ContentPart[]> = fc
  .tuple(fc.array(fc.oneof(textPart, reasoningPart), { maxLength: 4 }), someText)
  .map(([parts, text]) => [...parts, { type: 'text', text }]);
const assistant: fc.Arbitrary<ChatMessage[]> = fc
  .oneof(texts, thoughtful)
  .map((content) => [{ role: 'assistant', content, toolCalls: [] }]);

/** An assistant's turn with calls, and a result for each. */
function exchange(result: fc.Arbitrary<ContentPart[]>): fc.Arbitrary<ChatMessage[]> {
  const call = fc.record({ id: someText, name: toolName, input: jsonObject, result, isError: fc.boolean() });
  return fc.record({ content: texts, calls: fc.array(call, { minLength: 1, maxLength: 3 }) }).map(toExchange);
}

interface DraftCall {
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly result: ContentPart[];
  readonly isError: boolean;
}

function toExchange({ content, calls }: { content: TextPart[]; calls: readonly DraftCall[] }): ChatMessage[] {
    const named = calls.map((call, i) => ({ ...call, id: `${call.id}${i}` }));
    return [
      {
        role: 'assistant',
        content,
        toolCalls: named.map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })),
      },
      ...named.map(
        ({ id, result, isError }): ChatMessage => ({
          role: 'tool',
          toolCallId: id,
          content: result,
          ...(isError && { isError }),
        }),
      ),
    ];
}

function messages(result: fc.Arbitrary<ContentPart[]>): fc.Arbitrary<ChatMessage[]> {
  const turn = fc.oneof(system, user, assistant, exchange(result));
  return fc
    .tuple(fc.array(turn, { maxLength: 5 }), someText, fc.array(turn, { maxLength: 2 }))
    .map(([before, text, after]) => [
      ...before.flat(),
      { role: 'user', content: [{ type: 'text', text }] },
      ...after.flat(),
    ]);
}

const schema = jsonObject.map((properties) => ({ type: 'object', properties, additionalProperties: false }));

const tool: fc.Arbitrary<Tool> = fc.record(
  { name: toolName, description: anyText, parameters: schema, strict: fc.boolean() },
  { requiredKeys: ['name'] },
);

const toolChoice: fc.Arbitrary<ToolChoice> = fc.oneof(
  fc.constantFrom<ToolChoice>({ type: 'auto' }, { type: 'none' }, { type: 'required' }),
  toolName.map((name): ToolChoice => ({ type: 'tool', name })),
);

const reasoning: fc.Arbitrary<ReasoningRequest> = fc.oneof(
  fc.constantFrom(...EFFORTS).map((effort) => ({ effort })),
  fc.constantFrom(0, 1024, 4096, 20_000).map((budgetTokens) => ({ budgetTokens })),
);

const responseFormat: fc.Arbitrary<ResponseFormat> = fc.record(
  {
    type: fc.constant('json-schema' as const),
    name: toolName,
    description: anyText,
    schema,
    strict: fc.boolean(),
  },
  { requiredKeys: ['type', 'schema'] },
);

const unit = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);

/**
 * A request of any caller's, as far as all dialects have words for it, and a little beyond. Chat completions have no place
 * for pictures in the results of tools.
 */
export function arbitraryRequest({ picturesInResults }: { picturesInResults: boolean }): fc.Arbitrary<ChatRequest> {
  return fc.record(
  {
    source: fc.constant({ dialect: 'openai' as const, body: {} }),
    messages: messages(picturesInResults ? userContent : texts),
    stream: fc.boolean(),
    includeUsage: fc.constant(true),
    choices: fc.constant(1),
    maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: unit,
    topP: unit,
    topK: fc.integer({ min: 1, max: 100 }),
    stop: fc.array(someText, { maxLength: 3 }),
    tools: fc.array(tool, { maxLength: 3 }),
    toolChoice,
    parallelToolCalls: fc.boolean(),
    reasoning,
    responseFormat,
    user: anyText.filter((text) => !hasControlCharacter(text)),
    losses: fc.constant([]),
  },
  { requiredKeys: ['source', 'messages', 'stream', 'includeUsage', 'choices', 'losses'] },
);
}

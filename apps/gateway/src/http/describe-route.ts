import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiResponse } from '@nestjs/swagger';

type Schema = Record<string, unknown>;

export interface RouteDescription {
  readonly summary: string;
  /** What a good answer is. */
  readonly answer: string;
  /** JSON Schema of the body; absent for routes without one. */
  readonly body?: Schema;
  /** Also answers an event stream. */
  readonly streams?: boolean;
  /** May be refused for its cost, and by providers; what streams always may. */
  readonly isCharged?: boolean;
  /** Open to callers without a key. */
  readonly open?: boolean;
}

/** What `/openapi.json` says of a route; it has no influence on what the route does but for its status, which is 200. */
export function DescribeRoute({
  summary,
  answer,
  body,
  streams = false,
  isCharged = streams,
  open = false,
}: RouteDescription): MethodDecorator {
  const types = streams ? ['application/json', 'text/event-stream'] : ['application/json'];
  const content = Object.fromEntries(types.map((type) => [type, { schema: { type: 'object' } }]));
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ summary }),
    ApiResponse({ status: 200, description: answer, content }),
    ...(open ? [] : [ApiBearerAuth(), ApiResponse({ status: 401, description: 'No valid API key', schema: ERROR })]),
    ...(body === undefined
      ? []
      : [ApiBody({ schema: body }), ApiResponse({ status: 400, description: 'The body is wrong', schema: ERROR })]),
    ...(isCharged ? CHARGED_REFUSALS : []),
  );
}

const AMOUNT: Schema = { oneOf: [{ type: 'integer' }, { type: 'string' }] };

const ERROR: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'code', 'reason', 'request_id'],
      properties: {
        message: { type: 'string', description: 'What is wrong and what would be right' },
        type: { type: 'string' },
        code: { type: 'integer', description: 'The HTTP status' },
        reason: { type: 'string', description: 'A stable slug for programs' },
        param: { type: 'string', description: 'Path of the member that is wrong' },
        quota: {
          type: 'object',
          description: 'The limit that refused the request; money as decimal strings of USD',
          properties: {
            scope: { type: 'string', description: 'Whose: key:, user:, team: or org: and an id' },
            dimension: { type: 'string', enum: ['requests', 'tokens', 'concurrency', 'day', 'month'] },
            limit: AMOUNT,
            used: AMOUNT,
            reserved: { ...AMOUNT, description: 'Held by requests that are running' },
            reset_at: { type: 'string', format: 'date-time', description: 'When it is free again' },
          },
        },
        request_id: { type: 'string' },
      },
    },
  },
};

const CHARGED_REFUSALS = [
  ApiResponse({ status: 402, description: 'A budget is used up', schema: ERROR }),
  ApiResponse({ status: 404, description: 'No such model', schema: ERROR }),
  ApiResponse({ status: 429, description: 'A rate limit is reached, here or at every provider', schema: ERROR }),
  ApiResponse({ status: 502, description: 'Every provider failed', schema: ERROR }),
  ApiResponse({ status: 503, description: 'Nobody can serve now, or the quota store is away', schema: ERROR }),
  ApiResponse({ status: 504, description: 'Every provider took too long', schema: ERROR }),
];

const MESSAGES: Schema = {
  type: 'array',
  minItems: 1,
  maxItems: 10_000,
  items: {
    type: 'object',
    required: ['role'],
    properties: {
      role: { enum: ['system', 'developer', 'user', 'assistant', 'tool'] },
      content: { description: 'Text, or a list of content parts' },
    },
  },
};

/** OpenAI's chat completion request; members beyond these pass to providers that know them. */
export const CHAT_COMPLETION_BODY: Schema = {
  type: 'object',
  required: ['messages'],
  properties: {
    model: { type: 'string', description: 'A model id; absent, "*" or "auto": the best by score' },
    messages: MESSAGES,
    stream: { type: 'boolean', default: false },
    stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } } },
    max_completion_tokens: { type: 'integer', minimum: 1 },
    max_tokens: { type: 'integer', minimum: 1 },
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    top_p: { type: 'number', minimum: 0, maximum: 1 },
    n: { type: 'integer', minimum: 1, maximum: 8 },
    stop: { description: 'A text or up to 16 of them' },
    tools: { type: 'array', items: { type: 'object' } },
    tool_choice: { description: '"auto", "none", "required" or a named function' },
    parallel_tool_calls: { type: 'boolean' },
    reasoning_effort: { type: 'string' },
  },
  additionalProperties: true,
};

/** Anthropic's request for a message; members beyond these pass to providers that know them. */
export const MESSAGES_BODY: Schema = {
  type: 'object',
  required: ['max_tokens', 'messages'],
  properties: {
    model: { type: 'string', description: 'A model id; absent, "*" or "auto": the best by score' },
    max_tokens: { type: 'integer', minimum: 0 },
    messages: { type: 'array', minItems: 1, items: { type: 'object', required: ['role', 'content'] } },
    system: { description: 'Text, or a list of text blocks' },
    stream: { type: 'boolean', default: false },
    temperature: { type: 'number', minimum: 0, maximum: 1 },
    tools: { type: 'array', items: { type: 'object' } },
    tool_choice: { type: 'object' },
    thinking: { type: 'object' },
  },
  additionalProperties: true,
};

/** OpenAI's request for embeddings; members beyond these pass to providers that know them. */
export const EMBEDDINGS_BODY: Schema = {
  type: 'object',
  required: ['model', 'input'],
  properties: {
    model: { type: 'string', description: 'The id of a model of the kind embedding' },
    input: {
      description: 'A text, a list of up to 2,048 texts, a list of tokens, or a list of up to 2,048 such lists',
    },
    dimensions: { type: 'integer', minimum: 1 },
    encoding_format: { enum: ['float', 'base64'] },
    user: { type: 'string' },
  },
  additionalProperties: true,
};

/** OpenAI's request for a response; members beyond these pass to providers that know them. */
export const RESPONSES_BODY: Schema = {
  type: 'object',
  required: ['input'],
  properties: {
    model: { type: 'string', description: 'A model id; absent, "*" or "auto": the best by score' },
    input: { description: 'A text, or the whole conversation as a list of items' },
    instructions: { type: 'string' },
    stream: { type: 'boolean', default: false },
    store: { type: 'boolean', enum: [false], description: 'Nothing is stored' },
    max_output_tokens: { type: 'integer', minimum: 1 },
    temperature: { type: 'number', minimum: 0, maximum: 2 },
    tools: { type: 'array', items: { type: 'object' } },
    tool_choice: { description: '"auto", "none", "required" or a named function' },
    reasoning: { type: 'object' },
    text: { type: 'object', description: 'The form of the answer' },
  },
  additionalProperties: true,
};

/** The envelope of `POST /v1/chat`. */
export const ENVELOPE_BODY: Schema = {
  type: 'object',
  required: ['request'],
  additionalProperties: false,
  properties: {
    request: {
      type: 'object',
      required: ['messages'],
      properties: {
        messages: MESSAGES,
        model_hint: { type: 'string', description: 'A model id; absent, "*" or "auto": the best by score' },
        parameters: { type: 'object', description: "OpenAI's parameters: temperature, max_tokens, tools, …" },
        stream: { type: 'boolean', default: false },
        stream_format: {
          enum: ['native', 'openai'],
          description: "The provider's own events, or OpenAI's whoever serves",
        },
        estimated_input_tokens: { type: 'integer', minimum: 0 },
        id: { type: 'string' },
        meta: { type: 'object' },
      },
    },
    policy: {
      type: 'object',
      additionalProperties: false,
      properties: {
        mode: { enum: ['cheap', 'normal', 'high_confidence', 'planning', 'adversarial'] },
        max_budget_usd: { type: 'number', minimum: 0, maximum: 100 },
        max_latency_ms: { type: 'integer', minimum: 0, maximum: 300_000 },
        min_weight: { type: 'integer', minimum: 0, maximum: 10 },
        allow_model_fallback: { type: 'boolean' },
        drop_unsupported: {
          type: 'boolean',
          description: 'Leave out what a provider has no words for; X-TokenHub-Dropped names it',
        },
      },
    },
    capabilities: { type: 'object', additionalProperties: false, properties: { planning: { type: 'boolean' } } },
    output_format: {
      type: 'object',
      additionalProperties: false,
      properties: {
        type: { enum: ['text', 'json'] },
        schema: {
          type: 'object',
          description: 'JSON Schema for the model to follow; a streamed answer is not checked against it',
        },
        max_tokens: { type: 'integer', minimum: 1 },
      },
    },
  },
};

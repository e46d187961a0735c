import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiSecurity } from '@nestjs/swagger';

type Schema = Record<string, unknown>;

/** The two ways to show a key, by their names in the document. */
export const BEARER = 'bearer';
export const API_KEY_HEADER = 'x-api-key';

export interface RouteDescription {
  readonly summary: string;
  /** What a good answer is. */
  readonly answer: string;
  /** The type of a good answer. @defaultValue `application/json` */
  readonly contentType?: string;
  /** JSON Schema of the body; absent for routes without one. */
  readonly body?: Schema;
  /** What the variable parts of the address are, by their names in it. */
  readonly params?: Readonly<Record<string, string>>;
  /** Takes the caller's wishes for its routing from headers. */
  readonly takesPolicy?: boolean;
  /** What is not found where the answer is 404; absent where it never is. */
  readonly notFound?: string;
  /** Also answers an event stream. */
  readonly streams?: boolean;
  /** May be refused for its cost, and by providers; what streams always may. */
  readonly isCharged?: boolean;
  /** Errors are in the shape of this format. @defaultValue `openai` */
  readonly errors?: keyof typeof ERRORS;
  /** Open to callers without a key. */
  readonly open?: boolean;
}

/** What `/openapi.json` says of a route; it has no influence on what the route does but for its status, which is 200. */
export function DescribeRoute({
  summary,
  answer,
  contentType = 'application/json',
  body,
  params = {},
  takesPolicy = false,
  notFound,
  streams = false,
  isCharged = streams,
  errors = 'openai',
  open = false,
}: RouteDescription): MethodDecorator {
  const types = streams ? [contentType, 'text/event-stream'] : [contentType];
  const type = contentType === 'application/json' ? 'object' : 'string';
  const content = Object.fromEntries(types.map((name) => [name, { schema: { type } }]));
  const refusals = {
    ...(body !== undefined && BODY_REFUSALS),
    ...(!open && KEY_REFUSALS),
    ...(notFound !== undefined && { 404: notFound }),
    ...(isCharged && CHARGED_REFUSALS),
  };
  return applyDecorators(
    HttpCode(200),
    ApiOperation({ summary }),
    ApiResponse({ status: 200, description: answer, content }),
    ...(open ? [] : [ApiSecurity(BEARER), ApiSecurity(API_KEY_HEADER), ApiHeader(REQUEST_ID)]),
    ...Object.entries(params).map(([name, description]) => ApiParam({ name, description, schema: { type: 'string' } })),
    ...(takesPolicy ? POLICY_HEADERS.map((header) => ApiHeader(header)) : []),
    ...(body === undefined ? [] : [ApiBody({ schema: body })]),
    ...Object.entries(refusals).map(([status, description]) =>
      ApiResponse({ status: Number(status), description, schema: ERRORS[errors] }),
    ),
  );
}

const SWITCH: Schema = { type: 'string', enum: ['true', 'false'], default: 'false' };

const POLICY_HEADERS = [
  {
    name: 'x-tokenhub-allow-fallback',
    description: 'Other models may serve when the named one cannot',
    schema: SWITCH,
  },
  {
    name: 'x-tokenhub-drop-unsupported',
    description: 'What a provider has no words for is left out; X-TokenHub-Dropped names it',
    schema: SWITCH,
  },
];

const REQUEST_ID = {
  name: 'X-Request-Id',
  description: "The caller's own id of the request; comes back as X-Client-Request-Id",
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$' },
};

/** What is refused with each status, of every route with a body: each of them is for keys of some scope. */
const BODY_REFUSALS: Readonly<Record<number, string>> = {
  400: 'The body is wrong',
  403: 'The key has no scope for this',
  413: 'The body is larger than 10 MiB',
  415: 'The body is not JSON in UTF-8, or is compressed',
};

/** Of every route that needs a key. */
const KEY_REFUSALS: Readonly<Record<number, string>> = {
  401: 'No valid API key',
  429: 'Too many wrong keys from this address',
  503: 'The process is ending or full, or the store of the keys is away',
};

/** Of every route that has a price. */
const CHARGED_REFUSALS: Readonly<Record<number, string>> = {
  402: 'A budget is used up',
  404: 'No such model',
  429: 'A rate limit is reached, here or at every provider, or too many wrong keys came from this address',
  502: 'Every provider failed',
  503: 'Nobody can serve now, the process is ending or full, or the quota store is away',
  504: 'Every provider took too long',
};

const AMOUNT: Schema = { oneOf: [{ type: 'integer' }, { type: 'string' }] };

const QUOTA: Schema = {
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
};

const MESSAGE: Schema = { type: 'string', description: 'What is wrong and what would be right' };

/** The bodies of errors, as the callers of each format read them. */
const ERRORS = {
  openai: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'code', 'reason', 'request_id'],
        properties: {
          message: MESSAGE,
          type: { type: 'string' },
          code: { type: 'integer', description: 'The HTTP status' },
          reason: { type: 'string', description: 'A stable slug for programs' },
          param: { type: 'string', description: 'Path of the member that is wrong' },
          quota: QUOTA,
          request_id: { type: 'string' },
        },
      },
    },
  },
  anthropic: {
    type: 'object',
    required: ['type', 'error', 'request_id'],
    properties: {
      type: { type: 'string', enum: ['error'] },
      error: {
        type: 'object',
        required: ['type', 'message'],
        properties: { type: { type: 'string' }, message: MESSAGE, quota: QUOTA },
      },
      request_id: { type: 'string' },
    },
  },
} satisfies Record<string, Schema>;

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
      additionalProperties: false,
      required: ['messages'],
      properties: {
        messages: MESSAGES,
        model_hint: { type: 'string', description: 'A model id; absent, "*" or "auto": the best by score' },
        model: { type: 'string', description: 'The same, where model_hint is absent' },
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

import type { ChatRequest, ReasoningRequest, ResponseFormat } from '../../chat/chat-request.ts';
import { isJsonObject, objectOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { readEffort } from '../read-effort.ts';
import { refuseHostMembers } from '../refuse-host-members.ts';
import { isEmpty, isGiven, MAX_TOKENS, RequestReading, type Range } from '../request-reading.ts';
import { readMessages } from './read-request-messages.ts';
import { readTools, readToolChoice } from './read-request-tools.ts';

const MAX_CHOICES = 8;
const MAX_STOPS = 16;
const MAX_STOP_CHARACTERS = 65_536;
const MAX_LOGPROBS = 20;
const ANSWER_TOKENS: Range = { min: 1, max: MAX_TOKENS };
const SAFE_INTEGER: Range = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

/** Options of a stream that ask for nothing. */
const STREAM_DEFAULTS: JsonObject = { include_obfuscation: false, continuous_usage_stats: false };

/** Members in which names are the caller's own: JSON Schemas of tools and of answers, and vLLM's three. */
const DATA_MEMBERS: ReadonlySet<string> = new Set([
  'parameters',
  'schema',
  'json',
  '/guided_json',
  '/chat_template_kwargs',
]);

/**
 * Reads a caller's JSON. Members without neutral words stay in the body, and are listed as losses;
 * null, and a value that only states the default, means as much as nothing.
 * Source: https://platform.openai.com/docs/api-reference/chat/create.
 * @throws GatewayError `invalid_request`, `invalid_parameter` or `unknown_parameter`.
 */
export function readRequest(body: JsonObject): ChatRequest {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  refuseHostMembers(body, DATA_MEMBERS);
  const reading = new RequestReading();
  const draft: Draft = {};
  for (const path of Object.keys(body)) {
    const value = body[path];
    if (isGiven(value)) readMember(draft, { path, value }, reading);
  }
  const { stream = false, includeUsage, choices = 1, maxTokens, maxCompletionTokens, safetyId, ...others } = draft;
  const { wantsLogprobs = false, topLogprobs, ...members } = others;
  if (includeUsage !== undefined && !stream) {
    throw reading.invalid('stream_options', 'must be left out unless stream is true');
  }
  if (maxTokens !== undefined && maxCompletionTokens !== undefined && maxTokens !== maxCompletionTokens) {
    throw reading.invalid('max_completion_tokens', 'must be the same as max_tokens, or one of the two left out');
  }
  if (!wantsLogprobs && topLogprobs !== undefined && topLogprobs > 0)
    reading.lose('top_logprobs', 'needs logprobs to be true');
  if (draft.user !== undefined && safetyId !== undefined) reading.hint('safety_identifier');
  reading.checkToolChoice(draft.toolChoice, body['tools']);
  return {
    ...members,
    source: { dialect: 'openai', body },
    messages: readMessages(body['messages'], reading),
    stream,
    includeUsage: includeUsage ?? false,
    choices,
    maxOutputTokens: maxCompletionTokens ?? maxTokens,
    logprobs: wantsLogprobs ? (topLogprobs ?? 0) : undefined,
    user: draft.user ?? safetyId,
    losses: reading.losses,
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A request whose members are being read. */
interface Draft extends Partial<Writable<Omit<ChatRequest, 'source' | 'messages' | 'maxOutputTokens' | 'logprobs'>>> {
  maxTokens?: number;
  maxCompletionTokens?: number;
  safetyId?: string;
  wantsLogprobs?: boolean;
  topLogprobs?: number;
}

function readMember(draft: Draft, { path, value }: { path: string; value: JsonValue }, reading: RequestReading): void {
  switch (path) {
    case 'messages':
      return;
    case 'model':
      draft.model = reading.model(value);
      return;
    case 'stream':
      draft.stream = reading.boolean(value, path);
      return;
    case 'stream_options':
      draft.includeUsage = readIncludeUsage(reading.object(value, path), reading);
      return;
    case 'n':
      draft.choices = reading.integer(value, path, { min: 1, max: MAX_CHOICES });
      return;
    case 'max_tokens':
      draft.maxTokens = reading.integer(value, path, ANSWER_TOKENS);
      return;
    case 'max_completion_tokens':
      draft.maxCompletionTokens = reading.integer(value, path, ANSWER_TOKENS);
      return;
    case 'temperature':
      draft.temperature = reading.number(value, path, { min: 0, max: 2 });
      return;
    case 'top_p':
      draft.topP = reading.number(value, path, { min: 0, max: 1 });
      return;
    case 'top_k': {
      // vLLM: -1 and 0 switch it off.
      const topK = reading.integer(value, path, { min: -1, max: SAFE_INTEGER.max });
      if (topK > 0) draft.topK = topK;
      return;
    }
    case 'stop':
      draft.stop = readStop(value, reading);
      return;
    case 'tools':
      draft.tools = readTools(value, reading);
      return;
    case 'tool_choice':
      draft.toolChoice = readToolChoice(value, reading);
      return;
    case 'parallel_tool_calls':
      draft.parallelToolCalls = reading.boolean(value, path);
      return;
    case 'reasoning_effort':
      draft.reasoning = { ...draft.reasoning, ...readEffort(value, path, reading) };
      return;
    case 'reasoning':
      draft.reasoning = { ...readReasoning(reading.object(value, path), reading), ...draft.reasoning };
      return;
    case 'thinking':
      draft.reasoning = { ...readThinking(value, reading), ...draft.reasoning };
      return;
    case 'response_format':
      draft.responseFormat = readResponseFormat(reading.object(value, path), reading);
      return;
    case 'logprobs':
      draft.wantsLogprobs = reading.boolean(value, path);
      return;
    case 'top_logprobs':
      draft.topLogprobs = reading.integer(value, path, { min: 0, max: MAX_LOGPROBS });
      return;
    case 'user':
      draft.user = reading.user(value, path);
      return;
    case 'safety_identifier':
      // OpenAI's newer name of `user`.
      draft.safetyId = reading.user(value, path);
      return;
    case 'metadata':
      if (!isEmpty(reading.metadata(value))) draft.openai = { ...draft.openai, metadata: value };
      return;
    case 'service_tier':
    case 'prompt_cache_key':
    case 'prompt_cache_retention':
    case 'verbosity':
      if (!saysNothing(path, reading.text(value, path))) draft.openai = { ...draft.openai, [path]: value };
      return;
    case 'prompt_cache_options':
      if (!isEmpty(reading.object(value, path))) draft.openai = { ...draft.openai, [path]: value };
      return;
    case 'store':
      if (reading.boolean(value, path)) reading.hint(path);
      return;
    default:
      checkOther(value, path, reading);
      if (!saysNothing(path, value)) reading.lose(path);
  }
}

/** Checks what is known of the members that have no neutral words. */
function checkOther(value: JsonValue, path: string, reading: RequestReading): void {
  switch (path) {
    case 'frequency_penalty':
    case 'presence_penalty':
      reading.number(value, path, { min: -2, max: 2 });
      break;
    case 'seed':
      reading.integer(value, path, SAFE_INTEGER);
      break;
    case 'logit_bias':
      reading.object(value, path);
      break;
    default:
  }
}

/** True for a value that only states what would happen without it. */
function saysNothing(path: string, value: JsonValue): boolean {
  switch (path) {
    case 'service_tier':
      return value === 'auto' || value === 'default';
    case 'verbosity':
      return value === 'medium';
    case 'modalities':
      return Array.isArray(value) && value.length === 1 && value[0] === 'text';
    case 'frequency_penalty':
    case 'presence_penalty':
      return value === 0;
    default:
      return isEmpty(value);
  }
}

/** How often usage is told, and padding, are for the streams of those servers that have them. */
function readIncludeUsage({ include_usage: value, ...rest }: JsonObject, reading: RequestReading): boolean {
  reading.hints(rest, 'stream_options', STREAM_DEFAULTS);
  return isGiven(value) && reading.boolean(value, 'stream_options.include_usage');
}

function readStop(value: JsonValue, reading: RequestReading): string[] {
  const stops = typeof value === 'string' ? [value] : reading.list(value, 'stop');
  if (stops.length > MAX_STOPS) throw reading.invalid('stop', `must be at most ${MAX_STOPS} strings`);
  const texts = stops.map((stop, i) => reading.text(stop, `stop[${i}]`));
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_STOP_CHARACTERS) {
    throw reading.invalid('stop', `must be at most ${MAX_STOP_CHARACTERS} characters in all`);
  }
  return texts;
}

function readResponseFormat(format: JsonObject, reading: RequestReading): ResponseFormat | undefined {
  const { type, json_schema: schema, ...rest } = format;
  switch (reading.text(type, 'response_format.type')) {
    case 'text':
      return undefined;
    case 'json_object':
      reading.rest(rest, 'response_format');
      return { type: 'json' };
    case 'json_schema': {
      const path = 'response_format.json_schema';
      reading.rest(rest, 'response_format');
      return reading.jsonSchema(reading.object(schema, path), path);
    }
    default:
      reading.lose('response_format');
      return undefined;
  }
}

/** OpenRouter's object for what others say with an effort. */
function readReasoning(reasoning: JsonObject, reading: RequestReading): ReasoningRequest {
  const { effort, max_tokens: budget, enabled, exclude, ...rest } = reasoning;
  reading.rest(rest, 'reasoning');
  if (isGiven(exclude) && reading.boolean(exclude, 'reasoning.exclude')) reading.lose('reasoning.exclude');
  const isOff = isGiven(enabled) && !reading.boolean(enabled, 'reasoning.enabled');
  if (isOff) return { budgetTokens: 0 };
  return {
    ...(isGiven(effort) && readEffort(effort, 'reasoning.effort', reading)),
    ...(isGiven(budget) && {
      budgetTokens: reading.integer(budget, 'reasoning.max_tokens', { min: 0, max: MAX_TOKENS }),
    }),
    ...(!isGiven(effort) && !isGiven(budget) && enabled === true && { effort: 'medium' as const }),
  };
}

/** Anthropic's object for the same, as LiteLLM's callers send it; those of other servers may lack the budget. */
function readThinking(value: JsonValue, reading: RequestReading): ReasoningRequest {
  const { type, budget_tokens: budget, ...rest } = objectOr(value);
  reading.rest(rest, 'thinking', { display: 'summarized' });
  switch (type) {
    case 'enabled':
      if (!isGiven(budget)) return { effort: 'medium' };
      return { budgetTokens: reading.integer(budget, 'thinking.budget_tokens', { min: 0, max: MAX_TOKENS }) };
    case 'adaptive':
      return { isAdaptive: true };
    case 'disabled':
      return { budgetTokens: 0 };
    default:
      if (!isEmpty(value)) reading.lose('thinking');
      return {};
  }
}

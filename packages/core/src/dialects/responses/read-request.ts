import type {
  ChatRequest,
  OpenaiMembers,
  ReasoningRequest,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { readEffort } from '../read-effort.ts';
import { refuseHostMembers } from '../refuse-host-members.ts';
import { isEmpty, isGiven, MAX_TOKENS, RequestReading } from '../request-reading.ts';
import { withoutUndefined } from '../write-json.ts';
import { readInput } from './read-input.ts';

const MAX_LOGPROBS = 20;
/** What a tool is where it says nothing of that: the model calls it, at once, and knows it from the start. */
const TOOL_DEFAULTS: JsonObject = { allowed_callers: ['direct'], async: false, defer_loading: false };
/** Members in which names are the caller's own: JSON Schemas, and what is given to prompts, tools and shells. */
const DATA_MEMBERS: ReadonlySet<string> = new Set([
  'parameters',
  'schema',
  'input_schema',
  'output_schema',
  'variables',
  'arguments',
  'env',
]);
/** What `include` may ask for that needs no word of its own: encrypted reasoning comes in any case. */
const ENCRYPTED_REASONING = 'reasoning.encrypted_content';
const LOGPROBS = 'message.output_text.logprobs';

/**
 * Reads a caller's JSON. What would need a memory is refused, since nothing is stored here; members without neutral words
 * stay in the body, and are listed as losses.
 * Source: https://platform.openai.com/docs/api-reference/responses/create
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
  const { stream = false, safetyId, instructions, wantsLogprobs = false, topLogprobs = 0, ...members } = draft;
  const messages = readInput(body['input'], reading);
  if (draft.user !== undefined && safetyId !== undefined) reading.hint('safety_identifier');
  // A prompt that is stored at OpenAI may bring tools.
  if (isEmpty(body['prompt'])) reading.checkToolChoice(draft.toolChoice, body['tools']);
  return {
    ...members,
    source: { dialect: 'responses', body },
    messages:
      instructions === undefined || instructions === ''
        ? messages
        : [{ role: 'system', content: [{ type: 'text', text: instructions }] }, ...messages],
    stream,
    includeUsage: true,
    choices: 1,
    logprobs: wantsLogprobs || topLogprobs > 0 ? topLogprobs : undefined,
    user: draft.user ?? safetyId,
    losses: reading.losses,
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A request whose members are being read. */
interface Draft extends Partial<Writable<Omit<ChatRequest, 'source' | 'messages' | 'logprobs'>>> {
  instructions?: string;
  safetyId?: string;
  wantsLogprobs?: boolean;
  topLogprobs?: number;
}

function readMember(draft: Draft, { path, value }: { path: string; value: JsonValue }, reading: RequestReading): void {
  switch (path) {
    case 'input':
      return;
    case 'model':
      draft.model = reading.model(value);
      return;
    case 'instructions':
      draft.instructions = reading.text(value, path);
      return;
    case 'stream':
      draft.stream = reading.boolean(value, path);
      return;
    case 'max_output_tokens':
      draft.maxOutputTokens = reading.integer(value, path, { min: 1, max: MAX_TOKENS });
      return;
    case 'temperature':
      draft.temperature = reading.number(value, path, { min: 0, max: 2 });
      return;
    case 'top_p':
      draft.topP = reading.number(value, path, { min: 0, max: 1 });
      return;
    case 'top_logprobs':
      draft.topLogprobs = reading.integer(value, path, { min: 0, max: MAX_LOGPROBS });
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
    case 'reasoning':
      draft.reasoning = readReasoning(reading.object(value, path), reading);
      return;
    case 'text':
      readText(draft, reading.object(value, path), reading);
      return;
    case 'include':
      draft.wantsLogprobs = readInclude(reading.list(value, path), reading);
      return;
    case 'user':
      draft.user = reading.user(value, path);
      return;
    case 'safety_identifier':
      draft.safetyId = reading.user(value, path);
      return;
    case 'metadata':
      if (!isEmpty(reading.metadata(value))) draft.openai = { ...draft.openai, metadata: value };
      return;
    case 'service_tier':
      if (value !== 'auto' && value !== 'default') draft.openai = { ...draft.openai, service_tier: value };
      return;
    case 'prompt_cache_key':
    case 'prompt_cache_retention':
      draft.openai = { ...draft.openai, [path]: reading.text(value, path) };
      return;
    case 'prompt_cache_options':
      draft.openai = { ...draft.openai, ...readCacheOptions(reading.object(value, path), path, reading) };
      return;
    case 'store':
    case 'background':
      if (reading.boolean(value, path)) throw reading.invalid(path, `must be false or left out: ${NO_MEMORY}`);
      return;
    case 'previous_response_id':
    case 'conversation':
      throw reading.invalid(path, `must be left out: ${NO_MEMORY}`);
    case 'truncation':
      if (value !== 'disabled') reading.lose(path);
      return;
    case 'stream_options':
      // About padding, which only OpenAI's own streams have.
      reading.hints(reading.object(value, path), path, { include_obfuscation: false });
      return;
    case 'client_metadata':
      // Of Codex: which installation of it asks.
      reading.hint(path);
      return;
    default:
      if (!isEmpty(value)) reading.lose(path);
  }
}

const NO_MEMORY = 'responses are not stored here. Send the whole conversation as input';

/** As far as chat completions have them. Those of a response can name another one, to find out what of it was cached. */
function readCacheOptions(value: JsonObject, path: string, reading: RequestReading): OpenaiMembers {
  const { comparison_response_id: other, mode, ttl, ...rest } = value;
  if (isGiven(other)) throw reading.invalid(`${path}.comparison_response_id`, `must be left out: ${NO_MEMORY}`);
  reading.rest(rest, path, { prewarm: false });
  return isGiven(mode) || isGiven(ttl) ? { prompt_cache_options: withoutUndefined({ mode, ttl }) } : {};
}

function readTools(value: JsonValue, reading: RequestReading): Tool[] {
  const tools: Tool[] = [];
  for (const [i, entry] of reading.list(value, 'tools').entries()) {
    const path = `tools[${i}]`;
    const { type, name, description, parameters, strict, ...rest } = reading.object(entry, path);
    if (reading.text(type, `${path}.type`) !== 'function') {
      reading.lose(path);
      continue;
    }
    reading.rest(rest, path, TOOL_DEFAULTS);
    tools.push({
      name: reading.name(name, `${path}.name`),
      ...(isGiven(description) && { description: reading.text(description, `${path}.description`) }),
      ...(isGiven(parameters) && { parameters: reading.object(parameters, `${path}.parameters`) }),
      ...(isGiven(strict) && { strict: reading.boolean(strict, `${path}.strict`) }),
    });
  }
  return tools;
}

function readToolChoice(value: JsonValue, reading: RequestReading): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value };
  if (!isJsonObject(value)) {
    throw reading.invalid('tool_choice', 'must be "auto", "none", "required", or {"type":"function","name":"…"}');
  }
  if (value['type'] === 'function') return { type: 'tool', name: reading.name(value['name'], 'tool_choice.name') };
  reading.lose('tool_choice');
  return undefined;
}

/** How the thoughts are summed up is the provider's own matter: they come as they are. */
function readReasoning(value: JsonObject, reading: RequestReading): ReasoningRequest {
  const { effort, summary, generate_summary: oldSummary, ...rest } = value;
  reading.rest(rest, 'reasoning');
  for (const [name, given] of Object.entries({ summary, generate_summary: oldSummary })) {
    if (isGiven(given) && given !== 'auto') reading.hint(`reasoning.${name}`);
  }
  return isGiven(effort) ? readEffort(effort, 'reasoning.effort', reading) : {};
}

function readText(draft: Draft, value: JsonObject, reading: RequestReading): void {
  const { format, verbosity, ...rest } = value;
  reading.rest(rest, 'text');
  if (isGiven(format)) draft.responseFormat = readFormat(reading.object(format, 'text.format'), reading);
  if (isGiven(verbosity) && reading.text(verbosity, 'text.verbosity') !== 'medium') {
    draft.openai = { ...draft.openai, verbosity };
  }
}

function readFormat({ type, ...format }: JsonObject, reading: RequestReading): ResponseFormat | undefined {
  switch (reading.text(type, 'text.format.type')) {
    case 'text':
      return undefined;
    case 'json_object':
      return { type: 'json' };
    case 'json_schema':
      return reading.jsonSchema(format, 'text.format');
    default:
      reading.lose('text.format');
      return undefined;
  }
}

/** True when log probabilities are asked for. */
function readInclude(list: readonly JsonValue[], reading: RequestReading): boolean {
  for (const [i, wish] of list.entries()) {
    const path = `include[${i}]`;
    const text = reading.text(wish, path);
    if (text !== ENCRYPTED_REASONING && text !== LOGPROBS) reading.lose(path);
  }
  return list.includes(LOGPROBS);
}

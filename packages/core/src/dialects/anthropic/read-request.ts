import type {
  ChatMessage,
  ChatRequest,
  ReasoningRequest,
  ResponseFormat,
  TextPart,
  Tool,
  ToolChoice,
} from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { readEffort } from '../read-effort.ts';
import { refuseHostMembers } from '../refuse-host-members.ts';
import { isEmpty, isGiven, MAX_MESSAGES, MAX_TOKENS, RequestReading } from '../request-reading.ts';
import { readTexts } from './read-content.ts';
import { readMessage } from './read-message.ts';
import { typeOf } from './wire.ts';

const MAX_STOP_SEQUENCES = 16;
const MAX_STOP_SEQUENCE_LENGTH = 1024;
const MAX_METADATA_MEMBERS = 64;
const MIN_THINKING_BUDGET = 1024;
/** Members that hold the caller's own data or a JSON Schema of it, in which any name may occur. */
const DATA_MEMBERS: ReadonlySet<string> = new Set(['input', 'input_examples', 'input_schema', 'schema']);
/** Who may call a tool and when it is shown, where a tool says nothing of it. */
const TOOL_DEFAULTS: JsonObject = { allowed_callers: ['direct'], defer_loading: false };

/**
 * Reads a caller's JSON as Anthropic would, in one pass.
 * Members without neutral words stay in the body, and are listed as losses.
 * Source: https://docs.anthropic.com/en/api/messages
 * @throws GatewayError `invalid_parameter` or `unknown_parameter`, with `param` set.
 */
export function readRequest(body: JsonObject): ChatRequest {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  refuseHostMembers(body, DATA_MEMBERS);
  const reading = new RequestReading();
  const request: Members = { system: [] };
  for (const member of Object.keys(body)) {
    const value = body[member];
    // As with Anthropic's own client libraries, null means not given.
    if (value !== null && value !== undefined) readMember(request, { member, value }, reading);
  }
  if (!isGiven(body['max_tokens'])) throw reading.invalid('max_tokens', 'is required: a whole number of at least 0');
  // Anthropic's efforts are of the whole answer, those of others of thinking alone.
  const { effort, budgetTokens } = request.reasoning ?? {};
  if (budgetTokens === 0 && effort !== undefined) reading.hint('output_config.effort');
  const { system, messages, stream = false, ...rest } = request;
  if (messages === undefined) throw reading.invalid('messages', 'is required: a list of at least one message');
  reading.checkToolChoice(request.toolChoice, body['tools']);
  return {
    ...rest,
    source: { dialect: 'anthropic', body },
    messages: system.length === 0 ? messages : [{ role: 'system', content: system }, ...messages],
    stream,
    includeUsage: true,
    choices: 1,
    losses: reading.losses,
  };
}

/** A request's members as far as they have been read. */
interface Members {
  messages?: readonly ChatMessage[];
  system: readonly TextPart[];
  model?: string | undefined;
  stream?: boolean;
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  stop?: readonly string[];
  tools?: readonly Tool[];
  toolChoice?: ToolChoice;
  parallelToolCalls?: boolean;
  reasoning?: ReasoningRequest;
  responseFormat?: ResponseFormat | undefined;
  user?: string;
}

function readMember(
  request: Members,
  { member, value }: { member: string; value: JsonValue },
  reading: RequestReading,
): void {
  switch (member) {
    case 'model':
      request.model = reading.model(value);
      break;
    case 'messages':
      request.messages = readMessages(value, reading);
      break;
    case 'system':
      request.system = readTexts(value, 'system', reading);
      break;
    case 'max_tokens': {
      const most = reading.integer(value, member, { min: 0, max: MAX_TOKENS });
      // With none, the prompt is read into the cache and nothing is answered.
      if (most === 0) reading.lose(member, 'must be at least 1 for the provider of this model');
      else request.maxOutputTokens = most;
      break;
    }
    case 'temperature':
      request.temperature = reading.number(value, member, { min: 0, max: 1 });
      break;
    case 'top_p':
      request.topP = reading.number(value, member, { min: 0, max: 1 });
      break;
    case 'top_k':
      request.topK = reading.integer(value, member, { min: 0, max: MAX_TOKENS });
      break;
    case 'stop_sequences':
      request.stop = readStopSequences(value, reading);
      break;
    case 'stream':
      request.stream = reading.boolean(value, member);
      break;
    case 'tools':
      request.tools = readTools(value, reading);
      break;
    case 'tool_choice':
      readToolChoice(request, value, reading);
      break;
    case 'thinking':
      request.reasoning = { ...readThinking(value, reading), ...request.reasoning };
      break;
    case 'output_config':
      readOutputConfig(request, value, reading);
      break;
    case 'output_format':
      // The name it had while it was in beta.
      request.responseFormat = readFormat(value, member, reading);
      break;
    case 'service_tier': {
      const tier = reading.text(value, member);
      // Elsewhere that is what happens without it.
      if (tier === 'standard_only') reading.hint(member);
      else if (tier !== 'auto') reading.lose(member);
      break;
    }
    case 'thread':
      refuseThread(reading.object(value, member), reading);
      break;
    case 'speed':
      // Faster answers have another price, which is not known here.
      if (value !== 'standard') throw reading.invalid(member, "must be 'standard' or left out");
      break;
    case 'metadata':
      readMetadata(request, value, reading);
      break;
    case 'cache_control':
      // A mark at the end of the prompt, wherever that is.
      reading.cacheMark(value, member);
      reading.hint(member);
      break;
    case 'context_management':
      readContextManagement(reading.object(value, member), reading);
      break;
    case 'diagnostics':
      // Asks why the cache was missed.
      reading.hint(member);
      break;
    default:
      if (!isEmpty(value)) reading.lose(member);
  }
}

function readMessages(value: JsonValue, reading: RequestReading): readonly ChatMessage[] {
  const list = reading.list(value, 'messages');
  if (list.length === 0 || list.length > MAX_MESSAGES)
    throw reading.invalid('messages', `must be a list of 1 to ${MAX_MESSAGES} messages`);
  const messages = list.flatMap((message, i) => readMessage(message, `messages[${i}]`, reading));
  return losePrefill(messages, `messages[${list.length - 1}]`, reading);
}

/** The messages without the beginning of an answer at their end: no other dialect has words for going on with it. */
function losePrefill(messages: readonly ChatMessage[], path: string, reading: RequestReading): readonly ChatMessage[] {
  const last = messages.at(-1);
  const isPrefill = last?.role === 'assistant' && last.content.some((part) => part.type !== 'text' || part.text !== '');
  if (!isPrefill) return messages;
  reading.lose(path, "must not be the assistant's: the provider of this model does not go on with an answer");
  return messages.slice(0, -1);
}

function readStopSequences(value: JsonValue, reading: RequestReading): string[] {
  const list = reading.list(value, 'stop_sequences');
  if (list.length > MAX_STOP_SEQUENCES) {
    throw reading.invalid('stop_sequences', `must be a list of at most ${MAX_STOP_SEQUENCES} texts`);
  }
  return list.map((entry, i) => {
    const path = `stop_sequences[${i}]`;
    const text = reading.text(entry, path);
    if (text.length === 0 || text.length > MAX_STOP_SEQUENCE_LENGTH) {
      throw reading.invalid(path, `must be a text of 1 to ${MAX_STOP_SEQUENCE_LENGTH} characters`);
    }
    return text;
  });
}

/** The caller's own tools. Those that Anthropic runs itself have a type of their own, and no neutral words. */
function readTools(value: JsonValue, reading: RequestReading): Tool[] {
  const tools: Tool[] = [];
  for (const [i, entry] of reading.list(value, 'tools').entries()) {
    const path = `tools[${i}]`;
    const tool = reading.object(entry, path);
    const type = tool['type'] ?? 'custom';
    if (reading.text(type, `${path}.type`) === 'custom') tools.push(readTool(tool, path, reading));
    else reading.lose(path);
  }
  return tools;
}

function readTool(tool: JsonObject, path: string, reading: RequestReading): Tool {
  const { name, description, input_schema: schema, type: _, strict, cache_control: mark, ...others } = tool;
  // How soon arguments are streamed changes nothing about them.
  const { eager_input_streaming: eager, ...rest } = others;
  if (isGiven(eager)) reading.hint(`${path}.eager_input_streaming`);
  const read = reading.text(name, `${path}.name`);
  if (!/^[\w-]{1,128}$/.test(read)) {
    throw reading.invalid(`${path}.name`, 'must be 1 to 128 letters, digits, underscores or hyphens');
  }
  reading.rest(rest, path, TOOL_DEFAULTS);
  const cache = reading.cacheMark(mark, `${path}.cache_control`);
  return {
    name: read,
    parameters: reading.object(schema, `${path}.input_schema`),
    ...(isGiven(description) && { description: reading.text(description, `${path}.description`) }),
    ...(isGiven(strict) && { strict: reading.boolean(strict, `${path}.strict`) }),
    ...(cache !== undefined && { cache }),
  };
}

function readToolChoice(request: Members, value: JsonValue, reading: RequestReading): void {
  const { type, name, disable_parallel_tool_use: alone, ...rest } = reading.object(value, 'tool_choice');
  switch (reading.text(type, 'tool_choice.type')) {
    case 'auto':
      request.toolChoice = { type: 'auto' };
      break;
    case 'none':
      request.toolChoice = { type: 'none' };
      break;
    case 'any':
      request.toolChoice = { type: 'required' };
      break;
    case 'tool':
      request.toolChoice = { type: 'tool', name: reading.text(name, 'tool_choice.name') };
      break;
    default:
      throw reading.invalid('tool_choice.type', "must be 'auto', 'any', 'none' or 'tool'");
  }
  if (isGiven(alone) && reading.boolean(alone, 'tool_choice.disable_parallel_tool_use'))
    request.parallelToolCalls = false;
  reading.rest(rest, 'tool_choice');
}

function readThinking(value: JsonValue, reading: RequestReading): ReasoningRequest {
  // Other providers show thoughts, summed up as a rule, and cannot be kept from it.
  const { type, budget_tokens: budget, display, ...rest } = reading.object(value, 'thinking');
  reading.rest(rest, 'thinking');
  if (isGiven(display) && display !== 'summarized') reading.hint('thinking.display');
  switch (reading.text(type, 'thinking.type')) {
    case 'enabled': {
      const range = { min: MIN_THINKING_BUDGET, max: MAX_TOKENS };
      return { budgetTokens: reading.integer(budget, 'thinking.budget_tokens', range) };
    }
    case 'disabled':
      return { budgetTokens: 0 };
    case 'adaptive':
      return { isAdaptive: true };
    case 'between_tools':
      // The least that models think which always do; when they do it is their own matter.
      reading.hint('thinking.type');
      return { effort: 'low' };
    default:
      throw reading.invalid('thinking.type', "must be 'enabled', 'disabled', 'adaptive' or 'between_tools'");
  }
}

function readMetadata(request: Members, value: JsonValue, reading: RequestReading): void {
  const { user_id: user, ...rest } = reading.object(value, 'metadata');
  if (Object.keys(rest).length > MAX_METADATA_MEMBERS) {
    throw reading.invalid('metadata', `must have at most ${MAX_METADATA_MEMBERS} members`);
  }
  reading.rest(rest, 'metadata');
  if (!isGiven(user)) return;
  request.user = reading.user(user, 'metadata.user_id');
}

/**
 * Which of the earlier thoughts stay in the prompt makes no difference elsewhere: none of them reach another provider.
 * Without any other edit the prompt would be another.
 * Source: https://docs.anthropic.com/en/docs/build-with-claude/context-editing
 */
function readContextManagement({ edits = [], ...rest }: JsonObject, reading: RequestReading): void {
  const path = 'context_management';
  reading.rest(rest, path);
  const isOfThoughts = reading
    .list(edits, `${path}.edits`)
    .every((edit) => isJsonObject(edit) && typeOf(edit).startsWith('clear_thinking_'));
  if (isOfThoughts) reading.hint(path);
  else reading.lose(path);
}

/**
 * A conversation that a provider holds could be read by every caller of this gateway, and only one provider could go on
 * with it: none is held. A client that begins one goes on without when it is told so.
 */
function refuseThread({ type }: JsonObject, reading: RequestReading): void {
  if (type !== 'create') {
    const message = 'No conversations are held here. Send all messages of this one, without thread.';
    throw new GatewayError('thread_not_found', message, { param: 'thread' });
  }
  reading.hint('thread');
}

function readOutputConfig(request: Members, value: JsonValue, reading: RequestReading): void {
  const { effort, format, ...rest } = reading.object(value, 'output_config');
  reading.rest(rest, 'output_config');
  if (isGiven(effort))
    request.reasoning = { ...request.reasoning, ...readEffort(effort, 'output_config.effort', reading) };
  if (isGiven(format)) request.responseFormat = readFormat(format, 'output_config.format', reading);
}

function readFormat(value: JsonValue, path: string, reading: RequestReading): ResponseFormat | undefined {
  const { type, schema, ...rest } = reading.object(value, path);
  if (reading.text(type, `${path}.type`) !== 'json_schema') {
    reading.lose(path);
    return undefined;
  }
  reading.rest(rest, path);
  return { type: 'json-schema', schema: reading.object(schema, `${path}.schema`), strict: true };
}

import type {
  ChatMessage,
  ChatRequest,
  ReasoningRequest,
  TextPart,
  Tool,
  ToolChoice,
} from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { readMessage } from './read-message.ts';
import { RequestReading } from './request-reading.ts';

const MAX_MESSAGES = 10_000;
const MAX_STOP_SEQUENCES = 16;
const MAX_STOP_SEQUENCE_LENGTH = 1024;
const MAX_MODEL_LENGTH = 256;
const MAX_USER_LENGTH = 256;
const MAX_METADATA_MEMBERS = 64;
/** More than any model can answer; a larger bound is a mistake of the caller's and would spoil sums made with it. */
const MAX_TOKENS = 10_000_000;
const MIN_THINKING_BUDGET = 1024;

/**
 * Reads a caller's JSON as Anthropic would, in one pass.
 * Members without neutral words stay in the body, and their paths are listed as untranslatable.
 * Source: https://docs.anthropic.com/en/api/messages
 * @throws GatewayError `invalid_parameter` or `unknown_parameter`, with `param` set.
 */
export function readRequest(body: JsonObject): ChatRequest {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  const reading = new RequestReading();
  const request: Members = { messages: [], system: [] };
  for (const member of Object.keys(body)) {
    const value = body[member];
    // As with Anthropic's own client libraries, null means not given.
    if (value !== null && value !== undefined) readMember(request, { member, value }, reading);
  }
  if (request.maxOutputTokens === undefined)
    throw reading.invalid('max_tokens', 'is required: a whole number of at least 1');
  if (request.messages.length === 0) throw reading.invalid('messages', 'must be a list of at least one message');
  const { system, messages, stream = false, ...rest } = request;
  return {
    ...rest,
    source: { dialect: 'anthropic', body },
    messages: system.length === 0 ? messages : [{ role: 'system', content: system }, ...messages],
    stream,
    includeUsage: true,
    choices: 1,
    untranslatable: reading.untranslatable,
  };
}

/** A request's members as far as they have been read. */
interface Members {
  messages: ChatMessage[];
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
  reasoning?: ReasoningRequest | undefined;
  user?: string;
}

function readMember(
  request: Members,
  { member, value }: { member: string; value: JsonValue },
  reading: RequestReading,
): void {
  switch (member) {
    case 'model':
      request.model = readModel(value, reading);
      break;
    case 'messages':
      request.messages = readMessages(value, reading);
      break;
    case 'system':
      request.system = reading.textParts(value, 'system');
      break;
    case 'max_tokens':
      request.maxOutputTokens = reading.integer(value, member, { min: 1, max: MAX_TOKENS });
      break;
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
      request.reasoning = readThinking(value, reading);
      break;
    case 'metadata':
      readMetadata(request, value, reading);
      break;
    default:
      reading.unknown(member, { path: member, value });
  }
}

function readModel(value: JsonValue, reading: RequestReading): string | undefined {
  const model = reading.text(value, 'model');
  if (model.length > MAX_MODEL_LENGTH || !/^[\x20-\x7e]+$/.test(model)) {
    throw reading.invalid('model', `must be the id of a model: 1 to ${MAX_MODEL_LENGTH} printable ASCII characters`);
  }
  return model === '*' || model === 'auto' ? undefined : model;
}

function readMessages(value: JsonValue, reading: RequestReading): ChatMessage[] {
  const list = reading.list(value, 'messages');
  if (list.length > MAX_MESSAGES)
    throw reading.invalid('messages', `must be a list of at most ${MAX_MESSAGES} messages`);
  return list.flatMap((message, i) => readMessage(message, `messages[${i}]`, reading));
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
    else reading.opaque(tool, path);
  }
  return tools;
}

function readTool(tool: JsonObject, path: string, reading: RequestReading): Tool {
  const { name, description, input_schema: schema, type: _, strict, ...rest } = tool;
  const read = reading.text(name, `${path}.name`);
  if (!/^[\w-]{1,128}$/.test(read)) {
    throw reading.invalid(`${path}.name`, 'must be 1 to 128 letters, digits, underscores or hyphens');
  }
  reading.rest(rest, path);
  return {
    name: read,
    parameters: reading.object(schema, `${path}.input_schema`),
    ...(isGiven(description) && { description: reading.text(description, `${path}.description`) }),
    ...(isGiven(strict) && { strict: reading.boolean(strict, `${path}.strict`) }),
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

function readThinking(value: JsonValue, reading: RequestReading): ReasoningRequest | undefined {
  const { type, budget_tokens: budget, ...rest } = reading.object(value, 'thinking');
  reading.rest(rest, 'thinking');
  switch (reading.text(type, 'thinking.type')) {
    case 'enabled': {
      const range = { min: MIN_THINKING_BUDGET, max: MAX_TOKENS };
      return { budgetTokens: reading.integer(budget, 'thinking.budget_tokens', range) };
    }
    case 'disabled':
      return { budgetTokens: 0 };
    case 'adaptive': // The model decides, which is what saying nothing means elsewhere.
      return undefined;
    default:
      throw reading.invalid('thinking.type', "must be 'enabled', 'disabled' or 'adaptive'");
  }
}

function readMetadata(request: Members, value: JsonValue, reading: RequestReading): void {
  const { user_id: user, ...rest } = reading.object(value, 'metadata');
  if (Object.keys(rest).length > MAX_METADATA_MEMBERS) {
    throw reading.invalid('metadata', `must have at most ${MAX_METADATA_MEMBERS} members`);
  }
  reading.rest(rest, 'metadata');
  if (!isGiven(user)) return;
  const text = reading.text(user, 'metadata.user_id');
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.length > MAX_USER_LENGTH || /[\x00-\x1f\x7f]/.test(text)) {
    throw reading.invalid(
      'metadata.user_id',
      `must be at most ${MAX_USER_LENGTH} characters without control characters`,
    );
  }
  request.user = text;
}

function isGiven(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && value !== null;
}

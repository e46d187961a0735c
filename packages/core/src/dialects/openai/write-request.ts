import type { ChatRequest, ReasoningRequest, ResponseFormat, Tool, ToolChoice } from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import type { RequestTarget, WrittenRequest } from '../dialect.ts';
import { Losses, NOTHING_LEFT } from '../losses.ts';
import type { Quirks } from '../quirks.ts';
import { isEmpty } from '../request-reading.ts';
import { toEffort, type Effort } from '../to-effort.ts';
import { withoutUndefined } from '../write-json.ts';
import { isReasoningTaken, MessageWriter } from './write-request-messages.ts';

/**
 * Writes a request from its neutral members, for a caller who speaks another dialect.
 *
 * The bound on the answer goes out as `max_completion_tokens`, since OpenAI's reasoning models refuse `max_tokens`; to
 * servers that know only the old name it goes under that.
 * @throws GatewayError `invalid_parameter` when no message is left to write.
 */
export function writeRequest(request: ChatRequest, { model, quirks = {} }: RequestTarget): WrittenRequest {
  const losses = new Losses(request);
  const { responseFormat: format, reasoning, stream } = request;
  if (request.topK !== undefined && quirks.topK !== true) losses.add('top_k');
  losses.addReasoning(request, (part) => isReasoningTaken(part, quirks));
  const messages = new MessageWriter(quirks, losses).writeAll(request.messages);
  if (messages.length === 0) throw losses.invalid('messages', NOTHING_LEFT);
  const members: Record<string, JsonValue | undefined> = {
    model,
    messages,
    stream: stream ? true : undefined,
    stream_options: stream && quirks.noStreamOptions !== true ? { include_usage: true } : undefined,
    n: request.choices === 1 ? undefined : request.choices,
    [quirks.maxTokensMember ?? 'max_completion_tokens']: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: quirks.topK === true ? request.topK : undefined,
    stop: isEmpty(request.stop) ? undefined : request.stop,
    ...writeTools(request, quirks, losses),
    response_format: format && writeResponseFormat(format),
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: request.logprobs }),
    ...(reasoning !== undefined && writeReasoning(reasoning, quirks, losses)),
    user: request.user,
    ...request.openai,
  };
  return { body: losses.takenOf(members, quirks.refused), losses: losses.list };
}

/** Without tools there is nothing to choose from, and an empty list is refused. */
function writeTools(
  { tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  quirks: Quirks,
  losses: Losses,
): Record<string, JsonValue | undefined> {
  if (tools.length === 0) return {};
  return {
    tools: tools.map((tool) => writeTool(tool, quirks, losses)),
    tool_choice: toolChoice && writeToolChoice(toolChoice, quirks),
    parallel_tool_calls: parallelToolCalls,
  };
}

function writeTool({ cache, ...tool }: Tool, quirks: Quirks, losses: Losses): JsonObject {
  const isMarked = cache !== undefined && quirks.cacheControl === true;
  if (!isMarked) losses.addMark(cache);
  return {
    type: 'function',
    function: withoutUndefined({ ...tool }),
    ...(isMarked && { cache_control: withoutUndefined({ type: 'ephemeral', ttl: cache.ttl }) }),
  };
}

function writeToolChoice(choice: ToolChoice, { requiredToolChoice }: Quirks): JsonValue {
  if (choice.type === 'tool') return { type: 'function', function: { name: choice.name } };
  return choice.type === 'required' ? (requiredToolChoice ?? 'required') : choice.type;
}

function writeResponseFormat(format: ResponseFormat): JsonObject {
  if (format.type === 'json') return { type: 'json_object' };
  const { type: _, name = 'answer', description, schema, strict } = format;
  return { type: 'json_schema', json_schema: withoutUndefined({ name, description, schema, strict }) };
}

/** What a wish for reasoning that names no effort is read as. */
const EFFORT_OF_ON: Effort = 'medium';

/** Most have no budgets, only efforts: a budget becomes one by its size. */
function writeReasoning(reasoning: ReasoningRequest, { reasoningMember }: Quirks, losses: Losses): JsonObject {
  const { budgetTokens } = reasoning;
  const effort = toEffort(reasoning);
  if (effort === undefined) return {};
  switch (reasoningMember) {
    case undefined:
      return { reasoning_effort: effort };
    case 'reasoning':
      if (effort === 'none') return { reasoning: { enabled: false } };
      return { reasoning: budgetTokens === undefined ? { effort } : { max_tokens: budgetTokens } };
    case 'thinking':
      // On or off is all that it knows.
      if (effort !== 'none' && effort !== EFFORT_OF_ON) losses.addHint('reasoning');
      return { thinking: { type: effort === 'none' ? 'disabled' : 'enabled' } };
    case 'none':
      if (effort !== 'none') losses.add('reasoning');
      return {};
  }
}

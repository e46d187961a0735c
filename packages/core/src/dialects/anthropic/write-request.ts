import type { CacheMark, ChatRequest, ResponseFormat, Tool } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import type { RequestTarget, WrittenRequest } from '../dialect.ts';
import { Losses } from '../losses.ts';
import { withoutUndefined } from '../write-json.ts';
import { planThinking } from './plan-thinking.ts';
import { writeCacheMark } from './cache-mark.ts';
import { writeTexts, writeTurns } from './write-request-turns.ts';

/** Sent when neither the caller nor the configuration gives a bound, which Anthropic requires. */
const DEFAULT_MAX_TOKENS = 4096;

/**
 * The body for Anthropic when the caller speaks another dialect.
 * @throws GatewayError `invalid_parameter` for tool arguments that are not JSON and for messages that say nothing, which
 * Anthropic cannot take.
 */
export function writeRequest(request: ChatRequest, target: RequestTarget): WrittenRequest {
  const losses = new Losses(request);
  loseUnknown(request, losses);
  const limit = target.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const asked = Math.min(request.maxOutputTokens ?? target.maxOutputTokens ?? DEFAULT_MAX_TOKENS, limit);
  const { maxTokens, ...thought } = planThinking(request, { asked, limit, model: target.model, losses });
  const system = request.messages.filter((message) => message.role === 'system').flatMap(({ content }) => content);
  const { responseFormat: format, tools = [] } = request;
  const stop = request.stop?.filter((text) => text !== '') ?? [];
  const outputConfig = withoutUndefined({ effort: thought.effort, format: writeFormat(format, losses) });
  const body = withoutUndefined({
    model: target.model,
    max_tokens: maxTokens,
    system: writeTexts(system),
    messages: writeTurns(request.messages),
    stream: request.stream ? true : undefined,
    temperature: thought.temperature,
    top_p: thought.topP,
    top_k: thought.topK,
    stop_sequences: stop.length > 0 ? stop : undefined,
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    tool_choice: writeToolChoice(thought.toolChoice, request),
    thinking: thought.thinking,
    output_config: Object.keys(outputConfig).length > 0 ? outputConfig : undefined,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
  });
  return { body, losses: losses.list };
}

function loseUnknown(request: ChatRequest, losses: Losses): void {
  losses.addOpenai(request);
  if (request.choices > 1) losses.add('n', 'must be 1: the provider of this model gives one answer');
  if (request.logprobs !== undefined) losses.add('logprobs');
  for (const { content } of request.messages) {
    for (const part of content) {
      if (part.type === 'image' && part.detail !== undefined) losses.addHint(`${part.path}.detail`);
    }
  }
}

/** Anthropic has no JSON without a schema. */
function writeFormat(format: ResponseFormat | undefined, losses: Losses): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type === 'json-schema') {
    if (format.description !== undefined) losses.addHint('response_format.description');
    return { type: 'json_schema', schema: format.schema };
  }
  losses.add('response_format', 'must be of the type json_schema for the provider of this model');
  return undefined;
}

function writeTool({ name, description, parameters, strict, cache }: Tool): JsonObject {
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: { type: 'object', ...parameters },
    ...(strict === true && { strict }),
    ...markOf(cache),
  };
}

function markOf(cache: CacheMark | undefined): JsonObject {
  return cache === undefined ? {} : { cache_control: writeCacheMark(cache) };
}

function writeToolChoice(
  toolChoice: ChatRequest['toolChoice'],
  { tools = [], parallelToolCalls }: ChatRequest,
): JsonObject | undefined {
  if (tools.length === 0) return undefined;
  const type = toolChoice === undefined ? 'auto' : toolChoice.type === 'required' ? 'any' : toolChoice.type;
  const isAlone = parallelToolCalls === false && type !== 'none';
  if (toolChoice === undefined && !isAlone) return undefined;
  return {
    type,
    ...(toolChoice?.type === 'tool' && { name: toolChoice.name }),
    ...(isAlone && { disable_parallel_tool_use: true }),
  };
}

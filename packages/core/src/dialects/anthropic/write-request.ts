import type { CacheMark, ChatRequest, ResponseFormat, Tool, ToolChoice } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';
import type { RequestTarget, WrittenRequest } from '../dialect.ts';
import { Losses } from '../losses.ts';
import { withoutUndefined } from '../write-json.ts';
import { writeCacheMark } from './cache-mark.ts';
import { closeSchema } from './close-schema.ts';
import { rulesOf, type ModelRules } from './model-rules.ts';
import { planSampling } from './plan-sampling.ts';
import { planThinking } from './plan-thinking.ts';
import { isOwnReasoning, writeConversation } from './write-request-turns.ts';

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
  const rules = rulesOf(target.model);
  const limit = target.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const asked = Math.min(request.maxOutputTokens ?? target.maxOutputTokens ?? DEFAULT_MAX_TOKENS, limit);
  if (request.maxOutputTokens !== undefined && request.maxOutputTokens > limit) losses.addHint('max_tokens');
  const { thinking, effort, maxTokens } = planThinking(request, { asked, limit, rules, losses });
  const thinks = thinking !== undefined && thinking.type !== 'disabled';
  const { temperature, topP, topK } = planSampling(request, { rules, thinks, losses });
  const { system, messages } = writeConversation(request.messages, rules, losses);
  const { responseFormat: format, tools = [] } = request;
  const stop = request.stop?.filter((text) => text !== '') ?? [];
  const outputConfig = withoutUndefined({ effort, format: writeFormat(format, losses) });
  const body = withoutUndefined({
    model: target.model,
    max_tokens: maxTokens,
    system,
    messages,
    stream: request.stream ? true : undefined,
    temperature,
    top_p: topP,
    top_k: topK,
    stop_sequences: stop.length > 0 ? stop : undefined,
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    tool_choice: writeToolChoice(request, { rules, isBudgeted: thinking?.type === 'enabled', losses }),
    thinking,
    output_config: Object.keys(outputConfig).length > 0 ? outputConfig : undefined,
    metadata: request.user === undefined ? undefined : { user_id: request.user },
  });
  return { body, losses: losses.list };
}

function loseUnknown(request: ChatRequest, losses: Losses): void {
  losses.addOpenai(request);
  losses.addReasoning(request, isOwnReasoning);
  if (request.choices > 1) losses.add('n', 'must be 1: the provider of this model gives one answer');
  if (request.logprobs !== undefined) losses.add('logprobs');
  for (const { content } of request.messages) {
    for (const part of content) {
      if (part.type === 'image' && part.detail !== undefined) losses.addHint(`${part.path}.detail`);
      if (part.type === 'text' && part.text === '') losses.addMark(part.cache);
    }
  }
}

/** Anthropic has no JSON without a schema. */
function writeFormat(format: ResponseFormat | undefined, losses: Losses): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type === 'json-schema') {
    if (format.description !== undefined) losses.addHint('response_format.description');
    return { type: 'json_schema', schema: format.strict === true ? format.schema : closeSchema(format.schema) };
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

function writeToolChoice(request: ChatRequest, options: ToolChoiceOptions): JsonObject | undefined {
  const { tools = [], parallelToolCalls } = request;
  const toolChoice = planToolChoice(request, options);
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

interface ToolChoiceOptions {
  readonly rules: ModelRules;
  /** The model thinks within a budget. */
  readonly isBudgeted: boolean;
  readonly losses: Losses;
}

/** Of a model that thinks within a budget no call can be demanded, and of some never. */
function planToolChoice(
  { toolChoice }: ChatRequest,
  { rules, isBudgeted, losses }: ToolChoiceOptions,
): ToolChoice | undefined {
  if (toolChoice?.type !== 'required' && toolChoice?.type !== 'tool') return toolChoice;
  if (rules.takesForcedTools && !isBudgeted) return toolChoice;
  losses.add('tool_choice', `must be 'auto' or 'none'${isBudgeted ? ' with reasoning' : ''} for this model`);
  return undefined;
}

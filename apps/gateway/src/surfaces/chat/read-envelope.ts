import {
  GatewayError,
  isGatewayError,
  isJsonObject,
  openaiDialect,
  parseUsd,
  type ChatRequest,
  type JsonObject,
  type JsonValue,
  type RoutingMode,
} from '@tokenhub/core';
import { isRoutingMode, type RoutingPolicy } from '../routing-policy.ts';

/** A body of `POST /v1/chat`: the request in neutral words, and the caller's wishes for how it is routed. */
export interface Envelope {
  readonly request: ChatRequest;
  readonly policy: RoutingPolicy;
  /** Absent: as the key or the configuration says. */
  readonly streamFormat?: 'native' | 'openai' | undefined;
  /** The caller's own count of its input, for routing. */
  readonly estimatedInputTokens?: number | undefined;
}

/** Members that `request.parameters` may not hold, and where each has its place. */
const RESERVED: Readonly<Record<string, string>> = {
  messages: 'request.messages',
  model: 'request.model_hint',
  stream: 'request.stream',
};

/**
 * Reads the envelope `{request, policy?, capabilities?, output_format?}`. The messages and parameters in it are OpenAI's.
 * @throws GatewayError naming the member that is wrong by its path in the envelope.
 */
export function readEnvelope(body: JsonObject): Envelope {
  refuseUnknown(body, '', ['request', 'policy', 'capabilities', 'output_format']);
  const request = readObject(body['request'], 'request');
  if (request === undefined) throw invalid('request', 'is missing; it must be an object with "messages"');
  refuseUnknown(request, 'request.', [
    'id',
    'messages',
    'model_hint',
    'model',
    'estimated_input_tokens',
    'parameters',
    'stream',
    'stream_format',
    'meta',
  ]);
  const parameters = readObject(request['parameters'], 'request.parameters') ?? {};
  for (const name of Object.keys(parameters)) {
    const place = RESERVED[name];
    if (place !== undefined) throw invalid(`request.parameters.${name}`, `is not a parameter; set ${place} instead`);
  }
  const capabilities = readCapabilities(readObject(body['capabilities'], 'capabilities') ?? {});
  return {
    request: readRequest({
      ...parameters,
      ...readOutputFormat(body['output_format'], parameters),
      ...plainMembers(request),
    }),
    policy: readPolicy(readObject(body['policy'], 'policy') ?? {}, capabilities.planning),
    streamFormat: readOneOf(request['stream_format'], 'request.stream_format', ['native', 'openai']),
    estimatedInputTokens: readInteger(request['estimated_input_tokens'], 'request.estimated_input_tokens', {
      least: 0,
      most: 100_000_000,
    }),
  };
}

function plainMembers(request: JsonObject): JsonObject {
  const model = request['model_hint'] ?? request['model'];
  const { messages, stream } = request;
  return {
    ...(messages !== undefined && { messages }),
    ...(model !== undefined && model !== null && { model }),
    ...(stream !== undefined && { stream }),
  };
}

/** The body is OpenAI's; what is wrong with it is told by its path in the envelope. */
function readRequest(body: JsonObject): ChatRequest {
  try {
    return openaiDialect.readRequest(body);
  } catch (error) {
    if (!isGatewayError(error) || error.param === undefined) throw error;
    const first = /^[^.[]*/.exec(error.param)?.[0] ?? '';
    const param = error.param.replace(
      /^[^.[]*/,
      first === 'messages' ? 'request.messages' : (RESERVED[first] ?? `request.parameters.${first}`),
    );
    throw new GatewayError(error.code, error.message, { param, cause: error });
  }
}

function readPolicy(policy: JsonObject, planning: boolean): RoutingPolicy {
  refuseUnknown(policy, 'policy.', [
    'mode',
    'max_budget_usd',
    'max_latency_ms',
    'min_weight',
    'allow_model_fallback',
    'drop_unsupported',
  ]);
  const mode = policy['mode'];
  if (mode !== undefined && mode !== null && mode !== '' && !isRoutingMode(mode)) {
    throw invalid('policy.mode', 'must be one of cheap, normal, high_confidence, planning, adversarial');
  }
  const budget = policy['max_budget_usd'];
  if (budget !== undefined && budget !== null && !(typeof budget === 'number' && budget >= 0 && budget <= 100)) {
    throw invalid('policy.max_budget_usd', 'must be a number from 0 to 100');
  }
  return {
    mode: isRoutingMode(mode) ? mode : planning ? ('planning' satisfies RoutingMode) : undefined,
    // 0 has always meant "as the server says".
    maxBudgetNanoUsd: typeof budget === 'number' && budget > 0 ? parseUsd(budget.toFixed(9)) : undefined,
    maxLatencyMs:
      readInteger(policy['max_latency_ms'], 'policy.max_latency_ms', { least: 0, most: 300_000 }) || undefined,
    minWeight: readInteger(policy['min_weight'], 'policy.min_weight', { least: 0, most: 10 }),
    allowModelFallback: readBoolean(policy['allow_model_fallback'], 'policy.allow_model_fallback'),
    dropsLosses: readBoolean(policy['drop_unsupported'], 'policy.drop_unsupported'),
  };
}

function readCapabilities(capabilities: JsonObject): { planning: boolean } {
  refuseUnknown(capabilities, 'capabilities.', ['planning']);
  return { planning: readBoolean(capabilities['planning'], 'capabilities.planning') };
}

/** `output_format` in OpenAI's words. Of a stream it is a wish to the model only; nobody checks the answer against it. */
function readOutputFormat(value: JsonValue | undefined, parameters: JsonObject): JsonObject {
  const format = readObject(value, 'output_format');
  if (format === undefined) return {};
  refuseUnknown(format, 'output_format.', ['type', 'schema', 'max_tokens']);
  const type = readOneOf(format['type'], 'output_format.type', ['text', 'json']) ?? 'text';
  const schema = readObject(format['schema'], 'output_format.schema');
  if (schema !== undefined && type !== 'json') throw invalid('output_format.schema', 'needs output_format.type "json"');
  if (type === 'json' && parameters['response_format'] !== undefined) {
    throw invalid('output_format', 'says the same as request.parameters.response_format; leave one of them out');
  }
  const maxTokens = format['max_tokens'];
  return {
    ...(type === 'json' && { response_format: schema === undefined ? { type: 'json_object' } : jsonSchema(schema) }),
    ...(maxTokens !== undefined &&
      maxTokens !== null &&
      parameters['max_tokens'] === undefined && { max_tokens: maxTokens }),
  };
}

function jsonSchema(schema: JsonObject): JsonObject {
  return { type: 'json_schema', json_schema: { name: 'output', schema } };
}

function readObject(value: JsonValue | undefined, param: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw invalid(param, 'must be an object');
  return value;
}

function readBoolean(value: JsonValue | undefined, param: string): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw invalid(param, 'must be true or false');
  return value;
}

function readInteger(
  value: JsonValue | undefined,
  param: string,
  { least, most }: { least: number; most: number },
): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(param, `must be a whole number from ${least} to ${most}`);
}

function readOneOf<Choice extends string>(
  value: JsonValue | undefined,
  param: string,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined || value === null) return undefined;
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw invalid(param, `must be one of ${choices.map((name) => `"${name}"`).join(', ')}`);
  return choice;
}

function refuseUnknown(object: JsonObject, prefix: string, known: readonly string[]): void {
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue;
    const param = prefix + name;
    throw new GatewayError('unknown_parameter', `"${param}" is not known here. Known are ${known.join(', ')}.`, {
      param,
    });
  }
}

function invalid(param: string, wrong: string): GatewayError {
  return new GatewayError('invalid_parameter', `"${param}" ${wrong}.`, { param });
}

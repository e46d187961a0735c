import type { Ask } from '../answer.ts';
import { isObject, Refusal } from './wire.ts';

/** What `json_object` asks for: any object will do. */
const ANY_OBJECT = { type: 'object', properties: { answer: { type: 'string' } } };
const MOST_TOP_LOGPROBS = 20;

/** A request that OpenAI finds wrong. */
export function invalidRequest(message: string, param?: string, code?: string): Refusal {
  const facts = { status: 400, type: 'invalid_request_error' };
  return new Refusal(message, { ...facts, ...(param && { param }), ...(code && { code }) });
}

/** A parameter that OpenAI does not do without. */
export function missing(name: string): Refusal {
  return invalidRequest(`Missing required parameter: '${name}'.`, name, 'missing_required_parameter');
}

/**
 * A whole number that is not too small; `undefined` when it is not there.
 * @throws Refusal
 */
export function readLimit(body: Record<string, unknown>, name: string, least = 1): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw invalidRequest(`Invalid type for '${name}': expected an integer.`, name, 'invalid_type');
  }
  if (value < least) {
    const message = `Invalid '${name}': integer below minimum value. Expected a value >= ${least}, but got ${value} instead.`;
    throw invalidRequest(message, name, 'integer_below_min_value');
  }
  return value;
}

/** @throws Refusal */
export function readTopLogprobs(body: Record<string, unknown>): number | undefined {
  const top = readLimit(body, 'top_logprobs', 0);
  if (top === undefined || top <= MOST_TOP_LOGPROBS) return top;
  const message = `Invalid 'top_logprobs': integer above maximum value. Expected a value <= ${MOST_TOP_LOGPROBS}, but got ${top} instead.`;
  throw invalidRequest(message, 'top_logprobs', 'integer_above_max_value');
}

/**
 * The JSON that `text.format`, or what is meant by `response_format`, asks for; `path` is where `name` and `schema` stand.
 * @throws Refusal
 */
export function readJsonFormat(format: unknown, path: string): Ask['format'] {
  if (!isObject(format)) return undefined;
  if (format['type'] === 'json_object') return { schema: ANY_OBJECT };
  if (format['type'] !== 'json_schema') return undefined;
  if (typeof format['name'] !== 'string') throw missing(`${path}.name`);
  if (!isObject(format['schema'])) throw missing(`${path}.schema`);
  return { schema: format['schema'] };
}

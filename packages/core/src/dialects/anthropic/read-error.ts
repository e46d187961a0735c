import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError, type ErrorCode, type GatewayErrorOptions } from '../../errors.ts';
import { parseJsonObject } from '../../json/parse-json-object.ts';
import type { ErrorAnswer } from '../dialect.ts';
import { PROMPT_TOO_LONG } from '../prompt-too-long.ts';
import { readRetryAfterMs } from '../retry-after.ts';
import { typeOf } from './wire.ts';

/** What Anthropic says when input, or input and `max_tokens` together, do not fit the model. */
const TOO_LONG = /prompt is too long|context (?:limit|window|length)/i;
const NO_CREDIT = /credit balance is too low/i;
/** The member of our request that a message begins with, up to the first index: those count what was written for the caller. */
const BLAMED =
  /^`?((?:max_tokens|messages|metadata|output_config|stop_sequences|system|temperature|thinking|tool_choice|tools|top_k|top_p)(?:\.[a-z_]+)*)(?=[`:.])/;

/**
 * What an error answer of Anthropic means. The body is looked at for its type and its phrasing, and nothing of it is repeated
 * but the name of the member that it blames.
 * Source: https://docs.anthropic.com/en/api/errors
 */
export function readError({ status, headers, body }: ErrorAnswer): GatewayError {
  // What is not JSON is a page of something in between; its status says enough.
  const { type, message } = describe(parseJsonObject(body)?.['error']);
  const options = { upstreamStatus: status, retryAfterMs: readRetryAfterMs(headers) };
  if (status === 400 && NO_CREDIT.test(message)) return upstreamError('upstream_auth', options);
  if (status === 400 && TOO_LONG.test(message)) return upstreamError('context_length_exceeded', options);
  const code = codeOfStatus(status) ?? codeOfType(type) ?? 'upstream_rejected';
  return upstreamError(code, {
    ...options,
    param: code === 'upstream_rejected' ? BLAMED.exec(message)?.[1] : undefined,
  });
}

/** The error object of an `error` event, or of an answer that is an error in spite of its status. */
export function fromErrorEvent(error: JsonValue | undefined): GatewayError {
  const { type, message } = describe(error);
  if (type === 'invalid_request_error' && TOO_LONG.test(message)) {
    return upstreamError('context_length_exceeded', {});
  }
  return upstreamError(codeOfType(type) ?? 'upstream_error', {});
}

function codeOfStatus(status: number): ErrorCode | undefined {
  switch (status) {
    case 401:
    case 402: // Their bill, not the caller's.
    case 403:
      return 'upstream_auth';
    case 404: // The path or the model's name is wrong: a matter of our configuration.
      return 'upstream_unavailable';
    case 408:
    case 504:
      return 'upstream_timeout';
    case 413: // Larger than this provider takes; one with a larger window may take it.
      return 'context_length_exceeded';
    case 429:
      return 'upstream_rate_limited';
    default:
      return status >= 400 && status < 500 ? undefined : 'upstream_unavailable';
  }
}

/** For errors without a telling status: those inside a stream. */
function codeOfType(type: string): ErrorCode | undefined {
  switch (type) {
    case 'overloaded_error':
      return 'upstream_unavailable';
    case 'rate_limit_error':
      return 'upstream_rate_limited';
    case 'invalid_request_error':
      return 'upstream_rejected';
    default:
      return undefined;
  }
}

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  upstream_auth: 'The provider did not accept the credentials that TokenHub is configured with.',
  upstream_rate_limited: 'The provider limits the rate of requests; try again later.',
  upstream_unavailable: 'The provider cannot serve this request at the moment.',
  upstream_timeout: 'The provider took too long to answer.',
  upstream_error: 'The provider failed while it was answering.',
  upstream_rejected: 'The provider refused the request; check its parameters against what the model supports.',
  context_length_exceeded: PROMPT_TOO_LONG,
};

function upstreamError(code: ErrorCode, options: GatewayErrorOptions): GatewayError {
  const { param } = options;
  const message =
    param === undefined
      ? (MESSAGES[code] ?? 'The provider failed.')
      : `The provider refused the request because of ${param}; change it or leave it out.`;
  return new GatewayError(code, message, options);
}

function describe(error: JsonValue | undefined): { type: string; message: string } {
  if (!isJsonObject(error)) return { type: '', message: '' };
  const message = error['message'];
  return { type: typeOf(error), message: typeof message === 'string' ? message : '' };
}

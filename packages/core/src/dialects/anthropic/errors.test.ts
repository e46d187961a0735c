import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GatewayError, type ErrorCode } from '../../errors.ts';
import { readError } from './read-error.ts';
import { writeError, writeStreamError } from './write-error.ts';

const RECORDINGS = new URL('../../../../../../shared/wire/anthropic/errors/', import.meta.url);

function answer(status: number, error: { type?: string; message?: string } = {}, headers: Record<string, string> = {}) {
  return { status, headers, body: JSON.stringify({ type: 'error', error }) };
}

function wait(headers: Record<string, string>): number | undefined {
  return readError(answer(429, {}, headers)).retryAfterMs;
}

describe('readError', () => {
  it.each([
    [400, 'upstream_rejected'],
    [401, 'upstream_auth'],
    [402, 'upstream_auth'],
    [403, 'upstream_auth'],
    [404, 'upstream_unavailable'],
    [408, 'upstream_timeout'],
    [413, 'context_length_exceeded'],
    [422, 'upstream_rejected'],
    [429, 'upstream_rate_limited'],
    [500, 'upstream_unavailable'],
    [503, 'upstream_unavailable'],
    [504, 'upstream_timeout'],
    [529, 'upstream_unavailable'],
    [302, 'upstream_unavailable'],
  ])('takes status %i as %s', (status, code) => {
    expect(readError({ status, headers: {}, body: '<html>gone</html>' })).toMatchObject({
      code,
      upstreamStatus: status,
    });
  });

  it.each([
    ['prompt is too long: 3333404 tokens > 200000 maximum', 'context_length_exceeded'],
    ['input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000', 'context_length_exceeded'],
    ['Your credit balance is too low to access the Anthropic API.', 'upstream_auth'],
    ['messages.0: Input does not match the expected shape.', 'upstream_rejected'],
  ])('takes a 400 saying %j as %s, and does not repeat it', (message, code) => {
    const error = readError(answer(400, { type: 'invalid_request_error', message }));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain(message.slice(0, 20));
  });

  it.each([
    ['`temperature` is deprecated for this model.', 'temperature'],
    [
      "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
      'output_config.format.schema',
    ],
    ['messages.0: Input does not match the expected shape.', 'messages'],
    ['tools.0.custom.input_schema: JSON schema is invalid.', 'tools'],
    ['thinking.type: "enabled" is not supported for this model.', 'thinking.type'],
    ['secret.key: is wrong', undefined],
    ['The system is confused: temperature', undefined],
  ])('names the member that %j blames', (message, param) => {
    const error = readError(answer(400, { type: 'invalid_request_error', message }));
    expect(error.param).toBe(param);
    if (param !== undefined) expect(error.message).toContain(`because of ${param};`);
  });

  it('names no member for errors that are not of the request', () => {
    expect(readError(answer(429, { message: 'tools: too many' })).param).toBeUndefined();
  });

  it('reads how long to wait', () => {
    expect(wait({})).toBeUndefined();
    expect(wait({ 'retry-after': '7' })).toBe(7000);
  });

  it.each(['', 'null', '[]', '{"error":"x"}', '{"error":{"type":5,"message":[]}}', '{"error'])(
    'survives the body %j',
    (body) => {
      expect(readError({ status: 400, headers: {}, body }).code).toBe('upstream_rejected');
    },
  );
});

describe.skipIf(!existsSync(RECORDINGS))('error answers as recorded (../shared/wire)', () => {
  it.each([
    ['400-prompt-too-long', 'context_length_exceeded'],
    ['400-schema', 'upstream_rejected'],
    ['400-shape', 'upstream_rejected'],
    ['401-invalid-key', 'upstream_auth'],
    ['404-model-b', 'upstream_unavailable'],
    ['413-request-too-large', 'context_length_exceeded'],
    ['429-rate-limit-no-retry-after', 'upstream_rate_limited'],
    ['529-overloaded', 'upstream_unavailable'],
  ])('takes %s as %s', (name, code) => {
    const body = readFileSync(new URL(`${name}.body`, RECORDINGS), 'utf8');
    const {
      status,
      response_headers: headers,
      expected,
    } = JSON.parse(readFileSync(new URL(`${name}.json`, RECORDINGS), 'utf8'));
    const error = readError({ status, headers, body });
    expect(error).toMatchObject({ code, upstreamStatus: status });
    expect(error.message).not.toContain(expected.message);
  });
});

describe('writeError', () => {
  it.each([
    ['invalid_parameter', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error'],
    ['budget_exceeded', 'billing_error'],
    ['forbidden', 'permission_error'],
    ['model_not_found', 'not_found_error'],
    ['payload_too_large', 'request_too_large'],
    ['rate_limit_exceeded', 'rate_limit_error'],
    ['unsupported_media_type', 'invalid_request_error'],
    ['internal_error', 'api_error'],
    ['upstream_unavailable', 'api_error'],
    ['no_upstream', 'overloaded_error'],
    ['upstream_timeout', 'timeout_error'],
  ] as [ErrorCode, string][])('writes %s as %s', (code, type) => {
    expect(writeError(new GatewayError(code, 'Why.', { cause: 'secret' }), 'r1')).toEqual({
      type: 'error',
      error: { type, message: 'Why.' },
      request_id: 'r1',
    });
  });

  it('writes the error of a stream as its last event', () => {
    expect(writeStreamError(new GatewayError('upstream_disconnected', 'Cut "off".'), 'r1')).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"Cut \\"off\\"."},"request_id":"r1"}\n\n',
    );
  });
});

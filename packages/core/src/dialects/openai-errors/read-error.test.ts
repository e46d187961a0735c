import { describe, expect, test } from 'vitest';
import { readError, readInlineError } from './read-error.ts';

function error(status: number, body: unknown, headers: Record<string, string> = {}) {
  return readError({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

describe('the status decides', () => {
  test.each([
    [401, 'upstream_auth'],
    [403, 'upstream_auth'],
    [429, 'upstream_rate_limited'],
    [400, 'upstream_rejected'],
    [413, 'upstream_rejected'],
    [422, 'upstream_rejected'],
    [404, 'upstream_unavailable'],
    [408, 'upstream_timeout'],
    [504, 'upstream_timeout'],
    [402, 'upstream_unavailable'],
    [500, 'upstream_unavailable'],
    [503, 'upstream_unavailable'],
    [529, 'upstream_unavailable'],
    [302, 'upstream_unavailable'],
  ])('%d is %s', (status, code) => {
    for (const body of [
      '',
      '<html>secret</html>',
      { error: { message: 'secret' } },
      { detail: 'secret' },
      '"secret"',
      'null',
    ]) {
      const read = error(status, body);
      expect(read).toMatchObject({ code, upstreamStatus: status });
      expect(read.message).not.toContain('secret');
    }
  });
});

describe('a prompt that is too long is told by', () => {
  test.each([
    ['its code (OpenAI)', { error: { message: 'Too much.', code: 'context_length_exceeded' } }],
    [
      'its words (vLLM)',
      {
        object: 'error',
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        code: 400,
      },
    ],
    [
      'its words (vLLM, prompt alone)',
      {
        error: {
          message: 'The decoder prompt (length 9000) is longer than the maximum model length of 4096.',
          code: 400,
        },
      },
    ],
    [
      'its type (llama.cpp)',
      { error: { code: 400, message: 'the request exceeds', type: 'exceed_context_size_error' } },
    ],
    ['its words, flat', { message: 'prompt is too long: 3333404 tokens > 200000 maximum' }],
    ['its words, as a bare string', { error: 'prompt too long; exceeded max context length by 5 tokens' }],
    ['its words, as detail', { detail: 'The input token count exceeds the maximum' }],
    [
      'its words (xAI)',
      {
        code: 'Client specified an invalid argument',
        error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
      },
    ],
    [
      'its words (Moonshot)',
      {
        error: {
          message: 'Invalid request: Your request exceeded model token limit: 262144',
          type: 'invalid_request_error',
        },
      },
    ],
    [
      'its words (TGI)',
      { error: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096', error_type: 'validation' },
    ],
  ])('%s', (_, body) => {
    for (const status of [400, 413, 422]) expect(error(status, body).code).toBe('context_length_exceeded');
    expect(error(500, body).code).toBe('upstream_unavailable');
  });
});

test('a model that the provider does not know is our mistake, not the caller’s', () => {
  for (const message of [
    'Model Not Exist',
    'Invalid model: x',
    'The model `x` does not exist.',
    "model 'x' not found",
  ]) {
    expect(error(400, { error: { message } }).code).toBe('upstream_unavailable');
  }
});

test('a wrong key is told from a wrong request also with status 400', () => {
  expect(error(400, { code: 'invalid-argument', error: 'Incorrect API key provided.' }).code).toBe('upstream_auth');
});

describe('the parameter that the provider blames', () => {
  test.each(['max_tokens', 'messages[0].content', 'tools[12].function.name'])('%s is named', (param) => {
    const read = error(400, { error: { message: 'secret', param } });
    expect(read.param).toBe(param);
    expect(read.message).toContain(param);
  });

  test.each(['a b', 'http://10.0.0.1/', '', 'x'.repeat(129), '<script>', 5, null])('%j is not', (param) => {
    expect(error(400, { error: { message: 'secret', param } }).param).toBeUndefined();
  });
});

describe('the place that a list of errors blames (FastAPI, Mistral)', () => {
  const request = { seed: 7, n: null, messages: [{ role: 'user', content: [{ type: 'text' }] }], 'a b': 1 };
  const blame = (...loc: unknown[]) => ({ type: 'extra_forbidden', loc, msg: 'secret', input: 'secret' });
  const read = (body: unknown) => readError({ status: 422, headers: {}, body: JSON.stringify(body), request });

  test.each([
    [['body', 'seed'], 'seed'],
    [['body', 'n'], 'n'],
    [['body', 'messages', 0, 'role'], 'messages[0].role'],
    // What is missing, and the server's own name of a type, are not in the request.
    [['body', 'messages', 0, 'user', 'content'], 'messages[0]'],
    [['body', 'messages', 0, 'content', 0, 'text'], 'messages[0].content[0]'],
  ])('%j is named as far as the request has it', (loc, param) => {
    for (const body of [{ detail: [blame(...loc)] }, { message: { detail: [blame(...loc)] }, param: null }]) {
      const said = read(body);
      expect(said).toMatchObject({ code: 'upstream_rejected', param });
      expect(said.message).toContain(param);
      expect(said.message).not.toContain('secret');
    }
  });

  test.each([
    [['body', 'max_tokens']],
    [['body', 'constructor']],
    [['body', 'a b']],
    [['body', 0]],
    [['header', 'seed']],
    [['body']],
    ['body.seed'],
    [null],
  ])('%j is not', (loc) => {
    const said = read({ detail: [{ loc, msg: 'secret' }] });
    expect(said.param).toBeUndefined();
    expect(said.message).not.toContain('secret');
  });

  test('is that of the first entry that has one', () => {
    expect(read({ detail: ['secret', blame('query'), blame('body', 'seed'), blame('body', 'n')] }).param).toBe('seed');
  });

  test('does not hide that the prompt is too long', () => {
    const said = read({ detail: [{ ...blame('body', 'messages'), msg: 'prompt is too long' }] });
    expect(said.code).toBe('context_length_exceeded');
  });
});

test('a caller whose words a provider quotes does not make them mean something else', () => {
  const quoting = (message: string): string =>
    error(400, { error: { message, type: 'invalid_request_error', param: 'reasoning_effort' } }).code;
  expect(quoting("Invalid value: 'model not found'. Supported values are: 'low', 'medium'.")).toBe('upstream_rejected');
  expect(quoting("Invalid value: 'invalid api key'. Supported values are: 'low', 'medium'.")).toBe('upstream_rejected');
});

test('a request that is refused inside a stream is refused, not failed', () => {
  const refused = { message: 'Invalid grammar', type: 'BadRequestError', code: 400 };
  expect(readInlineError(refused).code).toBe('upstream_rejected');
});

test.each([
  ['the prompt', { code: 'invalid_prompt', message: 'Invalid prompt.' }],
  ['a picture', { code: 'image_too_large', message: 'The image is too large.' }],
  ['a picture that is not there', { code: 'failed_to_download_image', message: 'No such image.' }],
  ['the request', { type: 'invalid_request_error', message: 'Unsupported value.', code: null }],
])('an error inside a stream that blames %s, without a status, is the fault of the request', (_, said) => {
  expect(readInlineError(said)).toMatchObject({ code: 'upstream_rejected', upstreamStatus: undefined });
});

test.each([
  [{ type: 'invalid_request_error', code: 'context_length_exceeded' }, 'context_length_exceeded'],
  [{ type: 'invalid_request_error', code: 'model_not_found' }, 'upstream_unavailable'],
  [{ type: 'tokens', code: 'rate_limit_exceeded' }, 'upstream_rate_limited'],
  [{ code: 'server_error', message: 'invalid_prompt' }, 'upstream_error'],
  [{ code: 'vector_store_timeout' }, 'upstream_error'],
  [{ code: 'image_processing_unavailable' }, 'upstream_error'],
  [{ type: 'invalid_request_error', message: 'The model is overloaded.' }, 'upstream_error'],
])('%j inside a stream is %s', (said, code) => {
  expect(readInlineError(said).code).toBe(code);
});

test('a request that is larger than what a provider grants in a minute is for a larger one, at once (Groq)', () => {
  const message =
    'Request too large for model `m` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 9000.';
  const said = { error: { message, type: 'tokens', code: 'rate_limit_exceeded' } };
  expect(error(413, said).code).toBe('context_length_exceeded');
});

test('the time to wait is read', () => {
  expect(error(429, '', { 'retry-after': '2' }).retryAfterMs).toBe(2000);
  expect(error(429, '', {}).retryAfterMs).toBeUndefined();
});

test('a hostile body is read in time', { timeout: 5_000 }, () => {
  // Backtracking over all of it would take minutes.
  for (const words of ['model '.repeat(11_000), 'context '.repeat(8000), '{"error":'.repeat(7000)]) {
    expect(error(400, { error: { message: words } }).code).toBe('upstream_rejected');
    expect(error(400, words).code).toBe('upstream_rejected');
  }
});

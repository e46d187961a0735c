import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';
import { loadConfig } from './load-config.ts';

const ENV = { OPENAI_API_KEY: 'sk-openai', ANTHROPIC_API_KEY: 'sk-ant', DEMO_KEY: 'demo-key-of-24-characters' };

function load(text: string, env: Record<string, string> = ENV): Config {
  return loadConfig(text, { env, fileName: 'tokenhub.yaml' });
}

/** The problems as `line path message`. */
function problemsOf(text: string, env: Record<string, string> = ENV): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, path, message }) => `${line ?? '-'} ${path} ${message}`);
  }
  return [];
}

/** A good configuration of one provider and one model, with further lines for them and for the end. */
function minimal({ provider = '', model = '', rest = '' } = {}): string {
  return `providers:
  - { id: local, type: vllm, base_url: "https://llm.example.com" ${provider} }
models:
  - { id: small, deployments: [{ provider: local, model: s }], price: free ${model} }
${rest}`;
}

const FULL = readFileSync(new URL('./__fixtures__/full.yaml', import.meta.url), 'utf8');

test('reads the configuration that the documentation shows', () => {
  const config = load(FULL);
  expect(config.providers.map(({ id, type, baseUrl, apiKey }) => [id, type, baseUrl.href, apiKey])).toEqual([
    ['openai', 'openai', 'https://api.openai.com/v1/', 'sk-openai'],
    ['anthropic', 'anthropic', 'https://api.anthropic.com/', 'sk-ant'],
    ['vllm-a', 'vllm', 'http://10.0.0.5:8000/v1/', undefined],
  ]);
  expect(config.providers[0]).toMatchObject({
    timeouts: {
      connectMs: 5000,
      firstEventMs: 60_000,
      wholeAnswerMs: 300_000,
      idleMs: 120_000,
      progressMs: 600_000,
    },
    maxConnections: 512,
    allowPrivate: false,
  });
  expect(config.models[0]).toMatchObject({
    id: 'gpt-4',
    weight: 8,
    contextWindow: 128_000,
    maxOutputTokens: 16_384,
    deployments: [{ provider: 'openai', model: 'gpt-4' }],
    // USD 10.00, 30.00 and 5.00 in nano-USD
    price: { input: 10_000_000_000n, output: 30_000_000_000n, cachedInput: 5_000_000_000n },
  });
  expect(config.keys).toEqual([
    {
      id: 'demo',
      key: 'demo-key-of-24-characters',
      scopes: ['chat'],
      models: ['*'],
      limits: {
        requestsPerMinute: 60,
        tokensPerMinute: 100_000,
        concurrency: 10,
        dayNanoUsd: 5_000_000_000n,
        monthNanoUsd: 50_000_000_000n,
      },
      org: 'acme',
      heartbeat: true,
      longAnswers: 'finish',
      withoutQuotaStore: 'refuse',
    },
  ]);
  expect(config.routing).toEqual({
    mode: 'normal',
    maxBudgetNanoUsd: 50_000_000n,
    maxLatencyMs: 20_000,
    maxAttempts: 3,
    streamFormat: 'native',
  });
  expect(config.orgs.get('acme')?.limits.monthNanoUsd).toBe(500_000_000_000n);
});

test('fills in the defaults', () => {
  const config = load(minimal({ rest: `keys: [{ id: k, key_hash: "${'0a'.repeat(32)}" }]` }));
  expect(config.models[0]).toMatchObject({ weight: 5, price: { input: 0n, output: 0n } });
  expect(config.models[0]?.contextWindow).toBeUndefined();
  expect(config.keys[0]).toMatchObject({ scopes: ['chat', 'plan'], models: ['*'], org: 'default', limits: {} });
  expect(config.keys[0]?.expiresAt).toBeUndefined();
  expect(config.routing).toEqual({ mode: 'normal', maxAttempts: 3, streamFormat: 'native' });
});

test('a key may have a user and a team, each with limits, and cut long answers', () => {
  const config = load(
    minimal({
      rest: `keys: [{ id: k, key: a-key-of-16-characters, user: ada, team: search, long_answers: cut }]
users: { ada: { limits: { rpm: 5 } } }
teams: { search: { limits: { budget_day_usd: "2" } }, other: {} }`,
    }),
  );
  expect(config.keys[0]).toMatchObject({ user: 'ada', team: 'search', longAnswers: 'cut' });
  expect(config.users.get('ada')?.limits.requestsPerMinute).toBe(5);
  expect(config.teams.get('search')?.limits.dayNanoUsd).toBe(2_000_000_000n);
  expect([...config.teams.keys()]).toEqual(['search', 'other']);
});

test('reads JSON too', () => {
  const json = {
    providers: [{ id: 'openai', type: 'openai', api_key: '${OPENAI_API_KEY}' }],
    models: [{ id: 'gpt-4o', deployments: [{ provider: 'openai', model: 'gpt-4o' }] }],
  };
  const config = load(JSON.stringify(json, null, 2));
  expect(config.providers[0]?.baseUrl.href).toBe('https://api.openai.com/v1/');
});

test('takes the price of a known model from the catalogue', () => {
  const config = load(`providers: [{ id: openai, type: openai, api_key: x }]
models: [{ id: gpt-4o, deployments: [{ provider: openai, model: gpt-4o }] }]`);
  // USD 2.50, 1.25 and 10.00 per million tokens
  expect(config.models[0]?.price).toMatchObject({
    input: 2_500_000_000n,
    cachedInput: 1_250_000_000n,
    output: 10_000_000_000n,
  });
});

test('reads a price with cache writes of an hour and tiers for long prompts', () => {
  const rates = 'input: "3", output: "15", cache_write: "3.75", cache_write_1h: "6"';
  const tier = '{ above_input_tokens: 200000, input: "6", output: "22.5" }';
  const price = (tiers: string) => `providers: [{ id: p, type: vllm, base_url: "https://llm.example.com" }]
models: [{ id: m, deployments: [{ provider: p, model: m }], price: { ${rates}, tiers: [${tiers}] } }]`;
  expect(load(price(tier)).models[0]?.price).toMatchObject({
    cacheWrite1h: 6_000_000_000n,
    tiers: [{ aboveInputTokens: 200_000, input: 6_000_000_000n, cachedInput: 6_000_000_000n }],
  });
  expect(problemsOf(price(`${tier}, ${tier}`))).toEqual([
    '2 models[0].price tiers[1].above_input_tokens must be a whole number above 200000',
  ]);
  expect(problemsOf(price(''))).toEqual(['2 models[0].price.tiers must have at least one entry']);
  expect(problemsOf(price('{ above: 1, input: "1", output: "1" }'))).toEqual([
    '2 models[0].price.tiers[0].above_input_tokens is required',
    '2 models[0].price.tiers[0].above is not a known field; known here: input, output, cached_input, cache_write, cache_write_1h, reasoning, above_input_tokens',
  ]);
});

test('tells all problems at once, each with its line and what would be right', () => {
  const text = `providers:
  - id: openai
    type: opnai
    api_key: \${NOT_SET}
  - id: openai
    type: openai
    base_url: http://api.openai.com
    api_key: x
    max_connections: many
  - { id: local, type: vllm, base_url: "https://llm.example.com" }
models:
  - id: gpt-4
    weight: 11
    deployments:
      - { provider: azure, model: gpt-4 }
    price: { input: 2.5, output: "1e3" }
    contextwindow: 1000
  - id: unpriced
    deployments: [{ provider: local, model: nobody-knows-it }]
keys:
  - id: demo
    key: short
    models: [gpt-5, "*"]
    limits: { budget_day_usd: "9000000" }
routing: { mode: fastest }
orgs: { "a b": {} }
`;
  expect(problemsOf(text)).toEqual([
    '3 providers[0].type must be one of openai, azure-openai, anthropic, vllm, deepseek, mistral, groq, xai, openrouter, together, fireworks, ollama, llamacpp, nvidia-nim',
    '4 providers[0].api_key needs the environment variable NOT_SET, which is not set; set it, or write ${NOT_SET:-default}',
    '5 providers[1].id repeats openai; every id must be used once',
    '9 providers[1].max_connections must be a number, is text',
    '13 models[0].weight must be at most 10',
    '16 models[0].price.input must be an amount of USD in quotes, as in "0.05"',
    '16 models[0].price.output must be a plain decimal string without sign or exponent, such as "12.50"',
    '17 models[0].contextwindow is not a known field; known here: id, kind, weight, context_window, max_output_tokens, deployments, price, capabilities',
    '18 models[1].price is required, since the price catalogue does not know this model; give input and output, or say free',
    '22 keys[0].key must be at least 16 characters long',
    '24 keys[0].limits.budget_day_usd must be below 9000000 USD',
    '25 routing.mode must be one of cheap, normal, high_confidence, planning, adversarial',
    '26 orgs.a b has a name that must be 1 to 128 letters, digits, and . _ - + @, starting with a letter or digit',
  ]);
});

test('puts file, line and path into the message', () => {
  expect(() => load(minimal({ rest: 'colour: blue' }))).toThrow(
    'tokenhub.yaml:5: colour is not a known field; known here: $schema, providers, models, keys, routing, orgs, users',
  );
});

test.each([
  ['nothing at all', '', '-  must be a group of fields, is empty'],
  ['a list', '- providers', '1  must be a group of fields, is a list'],
  [
    'no providers',
    'models: [{ id: m, price: free, deployments: [{ provider: p, model: m }] }]',
    '1 providers is required',
  ],
  [
    'an empty list of models',
    'providers: [{ id: p, type: vllm, base_url: "https://x.example" }]\nmodels: []',
    '2 models must have at least one entry',
  ],
])('refuses %s', (_, text, problem) => {
  expect(problemsOf(text)).toContain(problem);
});

test('says where a text stops being YAML', () => {
  expect(problemsOf('providers:\n  - id: a\n   type: b\n')[0]).toMatch(/^[23] {2}is not valid YAML: /);
  expect(problemsOf('a: 1\na: 2\n')[0]).toMatch(/^2 {2}is not valid YAML: .*unique/);
});

test.each([
  [
    'an unknown provider',
    'deployments: [{ provider: x, model: s }]',
    '1 models[0].deployments[0].provider names x, which is none of the providers',
  ],
  [
    'a deployment twice',
    'deployments: [{ provider: p, model: s }, { provider: p, model: s }]',
    '1 models[0].deployments[1] repeats an earlier one',
  ],
])('refuses %s', (_, deployments, problem) => {
  const text = `{ providers: [{ id: p, type: vllm, base_url: "https://x.example" }], models: [{ id: m, price: free, ${deployments} }] }`;
  expect(problemsOf(text)).toEqual([problem]);
});

test.each([
  ['no secret', '{ id: k }', 'keys[0] must have either key or key_hash'],
  [
    'both kinds of secret',
    `{ id: k, key: ${'x'.repeat(16)}, key_hash: ${'ab'.repeat(32)} }`,
    'keys[0] must have either key or key_hash',
  ],
  [
    'a secret with a space',
    '{ id: k, key: "sixteen and more characters" }',
    'keys[0].key must be printable ASCII characters without spaces',
  ],
  [
    'a secret that reads as a number',
    '{ id: k, key: 1234567890123456 }',
    'keys[0].key must be text, is a number (put it in quotes)',
  ],
  [
    'a model that is not there',
    `{ id: k, key: ${'x'.repeat(16)}, models: [large] }`,
    'keys[0].models[0] names large, which is none of the models',
  ],
  [
    'a time without zone',
    `{ id: k, key: ${'x'.repeat(16)}, expires_at: 2027-01-01 }`,
    'keys[0].expires_at must be a time with its zone, as in 2027-01-31T00:00:00Z',
  ],
])('refuses a key with %s', (_, key, problem) => {
  expect(problemsOf(minimal({ rest: `keys: [${key}]` }))).toEqual([`5 ${problem}`]);
});

test('refuses two keys with the same secret', () => {
  const key = 'x'.repeat(16);
  expect(problemsOf(minimal({ rest: `keys: [{ id: a, key: ${key} }, { id: b, key: ${key} }]` }))).toEqual([
    '5 keys[1] has the same secret as an earlier key',
  ]);
});

test('refuses one price for deployments whose list prices differ', () => {
  const text = `providers: [{ id: openai, type: openai, api_key: x }]
models: [{ id: mixed, deployments: [{ provider: openai, model: gpt-4o }, { provider: openai, model: gpt-4o-mini }] }]`;
  expect(problemsOf(text)).toEqual(['2 models[0].price is required, since the list prices of its deployments differ']);
});

test('refuses a provider that needs a key and has none', () => {
  expect(problemsOf(minimal().replace('type: vllm', 'type: openai'))).toEqual([
    '2 providers[0].api_key is required, since openai serves nobody without; or give credentials',
  ]);
});

test('reads a credential from a file or a command, with variables in them', () => {
  const withCredentials = (type: string, credentials: string): unknown =>
    load(minimal().replace('type: vllm', `type: ${type}, credentials: ${credentials}`), { DIR: '/run' }).providers[0];
  expect(withCredentials('openai', '{ file: "${DIR}/key" }')).toMatchObject({
    apiKey: undefined,
    credentials: { file: '/run/key' },
  });
  expect(withCredentials('anthropic', '{ command: [vault, read, "${DIR}/key"] }')).toMatchObject({
    credentials: { command: ['vault', 'read', '/run/key'] },
  });
  expect(withCredentials('vllm', '{ command: [vault] }')).toMatchObject({ credentials: { command: ['vault'] } });
});

test.each([
  ['beside a key', 'api_key: x, credentials: { file: /k }', 'must not stand beside api_key; leave out one of them'],
  ['of neither kind', 'credentials: {}', 'must have either command or file'],
  ['of both kinds', 'credentials: { file: /k, command: [vault] }', 'must have either command or file'],
])('refuses credentials %s', (_title, fields, message) => {
  for (const type of ['openai', 'anthropic', 'vllm']) {
    expect(problemsOf(minimal().replace('type: vllm', `type: ${type}, ${fields}`))).toEqual([
      `2 providers[0].credentials ${message}`,
    ]);
  }
});

test.each([
  ['{ command: [] }', 'command must have at least one entry'],
  ['{ command: vault read }', 'command must be a list, is text'],
  ['{ command: [vault, 7] }', 'command[1] must be text, is a number (put it in quotes)'],
  ['{ path: /k }', 'path is not a known field; known here: command, file'],
])('refuses credentials that are %s', (credentials, problem) => {
  expect(problemsOf(minimal({ provider: `, credentials: ${credentials}` }))).toEqual([
    `2 providers[0].credentials.${problem}`,
  ]);
});

test('reads how long an answer may take, and which keys cannot parse comments', () => {
  const timeouts = '{ whole_answer_ms: 2000, progress_ms: 1000, total_ms: 60000 }';
  const key = '{ id: k, key: "sixteen-and-more", heartbeat: false }';
  const config = load(minimal({ provider: `, timeouts: ${timeouts}`, rest: `keys: [${key}]` }));
  expect(config.providers[0]?.timeouts).toMatchObject({
    wholeAnswerMs: 2000,
    idleMs: 120_000,
    progressMs: 1000,
    totalMs: 60_000,
  });
  expect(config.keys[0]?.heartbeat).toBe(false);
  expect(load(minimal()).providers[0]?.timeouts.totalMs).toBeUndefined();
});

test('never lets a variable become structure, and reads one where a number or a boolean belongs', () => {
  const env = { MODEL: 'evil }, { provider: local, model: other', WEIGHT: '7', PRIVATE: 'true' };
  const text = minimal({ provider: ', allow_private: "${PRIVATE}"', model: ', weight: "${WEIGHT}"' }).replace(
    'model: s',
    'model: "${MODEL}"',
  );
  const config = load(text, env);
  expect(config.models[0]?.deployments).toEqual([{ provider: 'local', model: env.MODEL }]);
  expect(config.models[0]?.weight).toBe(7);
  expect(config.providers[0]?.allowPrivate).toBe(true);
});

test('keeps every secret out of its messages', () => {
  const text = minimal({
    provider: ', api_key: "${SECRET} ", base_url2: "${SECRET}"',
    rest: 'keys: [{ id: k, key: "${SECRET}" }]',
  });
  const env = { SECRET: 'topsecret' };
  expect(problemsOf(text, env).length).toBeGreaterThan(0);
  expect(problemsOf(text, env).join('\n')).not.toContain('topsecret');
});

test('reads aliases, and refuses a bomb of them', () => {
  const text = `providers: [{ id: p, type: vllm, base_url: "https://x.example", timeouts: &t { idle_ms: 7 } }, { id: q, type: vllm, base_url: "https://y.example", timeouts: *t }]
models: [{ id: m, price: free, deployments: [{ provider: p, model: m }] }]`;
  expect(load(text).providers[1]?.timeouts.idleMs).toBe(7);
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
  expect(problemsOf(['l0: &l0 x', ...levels].join('\n'))[0]).toMatch(/alias/i);
});

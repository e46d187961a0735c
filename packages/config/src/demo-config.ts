import type { Environment } from './substitute-variables.ts';

export interface DemoConfigOptions {
  /** Where the simulator listens: its OpenAI, Anthropic and vLLM are under `/openai/v1`, `/anthropic` and `/vllm/v1`. */
  readonly simulatorUrl: string;
  /** With `OPENAI_API_KEY` or `ANTHROPIC_API_KEY` in it the real providers join. */
  readonly env: Environment;
}

/**
 * The configuration of a first start without a file, as text, so that it can be read, copied and changed: simulated providers
 * of the three types, and one key, `${DEMO_KEY}`. A request that names no model goes to one of OpenAI's dialect.
 */
export function demoConfig({ simulatorUrl, env }: DemoConfigOptions): string {
  const real = REAL_PROVIDERS.filter(({ variable }) => (env[variable] ?? '') !== '');
  return `# TokenHub's demo: the providers named simulated-* are simulated. They speak the real wire formats and cost nothing;
# their prices are those of the models whose names they bear.
providers:
  - id: simulated-openai
    type: openai
    base_url: ${simulatorUrl}/openai/v1
    api_key: simulated
    allow_private: true
  - id: simulated-anthropic
    type: anthropic
    base_url: ${simulatorUrl}/anthropic
    api_key: simulated
    allow_private: true
  - id: simulated-vllm
    type: vllm
    base_url: ${simulatorUrl}/vllm/v1
    allow_private: true
${real.map(providerYaml).join('')}
models:
  - id: gpt-4 # two deployments: when one fails, the other serves the same model
    weight: 8
    context_window: 128000
    max_output_tokens: 16384
    deployments:
      - { provider: simulated-openai, model: gpt-4 }
      - { provider: simulated-vllm, model: gpt-4 }
    price: { input: "10", output: "30" }
  - id: text-embedding-3-small
    kind: embedding
    context_window: 8192
    deployments: [{ provider: simulated-openai, model: text-embedding-3-small }]
    price: { input: "0.02", output: "0" }
${SIMULATED_MODELS.map(modelYaml).join('')}${real.flatMap(({ models }) => models.map(modelYaml)).join('')}
keys:
  - id: demo
    key: \${DEMO_KEY}
    scopes: [chat, plan, embeddings]
    models: ["*"]
    limits: { rpm: 6000, tpm: 10000000, concurrency: 500, budget_day_usd: "100", budget_month_usd: "1000" }
    org: demo

routing:
  mode: normal
  max_attempts: 3
  # For requests that name no model: all of OpenAI's dialect, so that every example reads the same stream.
  auto_models: [gpt-4, gpt-3.5-turbo, deepseek-chat, deepseek-reasoner]

orgs:
  demo: { limits: { budget_month_usd: "5000" } }
`;
}

interface DemoModel {
  readonly id: string;
  readonly provider: string;
  /** What the provider calls it. @defaultValue its id */
  readonly upstream?: string;
  readonly weight: number;
  /** Tokens of context and of output. */
  readonly tokens?: readonly [context: number, output: number];
  /** USD per million tokens of input and output; absent: the price catalogue's. */
  readonly price?: readonly [input: string, output: string];
}

const SIMULATED_MODELS: readonly DemoModel[] = [
  { id: 'gpt-3.5-turbo', provider: 'simulated-openai', weight: 3, tokens: [16_385, 4096], price: ['0.5', '1.5'] },
  {
    id: 'claude-opus',
    provider: 'simulated-anthropic',
    upstream: 'claude-opus-4-1',
    weight: 10,
    tokens: [200_000, 32_000],
    price: ['15', '75'],
  },
  {
    id: 'claude-sonnet',
    provider: 'simulated-anthropic',
    upstream: 'claude-sonnet-4',
    weight: 7,
    tokens: [200_000, 64_000],
    price: ['3', '15'],
  },
  { id: 'claude-sonnet-4', provider: 'simulated-anthropic', weight: 7, tokens: [200_000, 64_000], price: ['3', '15'] },
  { id: 'deepseek-chat', provider: 'simulated-vllm', weight: 8, tokens: [128_000, 8192], price: ['0.27', '1.1'] },
  {
    id: 'deepseek-reasoner',
    provider: 'simulated-vllm',
    weight: 8,
    tokens: [128_000, 64_000],
    price: ['0.55', '2.19'],
  },
];

const REAL_PROVIDERS = [
  {
    type: 'openai',
    variable: 'OPENAI_API_KEY',
    models: [
      { id: 'gpt-5.2', provider: 'openai', weight: 9 },
      { id: 'gpt-5.4-mini', provider: 'openai', weight: 8 },
      { id: 'gpt-5-nano', provider: 'openai', weight: 5 },
    ],
  },
  {
    type: 'anthropic',
    variable: 'ANTHROPIC_API_KEY',
    models: [
      { id: 'claude-opus-4-8', provider: 'anthropic', weight: 10 },
      { id: 'claude-sonnet-4-6', provider: 'anthropic', weight: 9 },
      { id: 'claude-haiku-4-5', provider: 'anthropic', weight: 7 },
    ],
  },
] as const satisfies readonly { type: string; variable: string; models: readonly DemoModel[] }[];

function providerYaml({ type, variable }: (typeof REAL_PROVIDERS)[number]): string {
  return `  - id: ${type} # real, since ${variable} is set
    type: ${type}
    api_key: \${${variable}}
`;
}

function modelYaml({ id, provider, upstream = id, weight, tokens, price }: DemoModel): string {
  const size = tokens === undefined ? '' : `    context_window: ${tokens[0]}\n    max_output_tokens: ${tokens[1]}\n`;
  const cost = price === undefined ? '' : `    price: { input: "${price[0]}", output: "${price[1]}" }\n`;
  return `  - id: ${id}
    weight: ${weight}
${size}    deployments: [{ provider: ${provider}, model: ${upstream} }]
${cost}`;
}

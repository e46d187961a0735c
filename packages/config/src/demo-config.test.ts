import { expect, test } from 'vitest';
import { demoConfig } from './demo-config.ts';
import { loadConfig } from './load-config.ts';

const simulatorUrl = 'http://127.0.0.1:9000';

function load(env: Record<string, string>) {
  const all = { DEMO_KEY: 'tokenhub_demo_key_of_the_test', ...env };
  return loadConfig(demoConfig({ simulatorUrl, env: all }), { env: all, fileName: 'demo' });
}

test('is a good configuration of three simulated providers, labelled as such', () => {
  const { providers } = load({});
  expect(providers.map(({ id, type, baseUrl }) => [id, type, baseUrl.href])).toEqual([
    ['simulated-openai', 'openai', 'http://127.0.0.1:9000/openai/v1/'],
    ['simulated-anthropic', 'anthropic', 'http://127.0.0.1:9000/anthropic/'],
    ['simulated-vllm', 'vllm', 'http://127.0.0.1:9000/vllm/v1/'],
  ]);
});

test('routes a request that names no model among models of OpenAI’s dialect', () => {
  const { routing, models, providers } = load({ OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' });
  const anthropic = new Set(providers.filter(({ type }) => type === 'anthropic').map(({ id }) => id));
  const auto = models.filter(({ id }) => routing.autoModels?.includes(id) === true);
  expect(auto).toHaveLength(4);
  for (const { deployments } of auto) {
    for (const { provider } of deployments) expect(anthropic.has(provider)).toBe(false);
  }
});

test('has one model with two deployments, to fail over', () => {
  const gpt4 = load({}).models.find(({ id }) => id === 'gpt-4');
  expect(gpt4?.deployments.map(({ provider }) => provider)).toEqual(['simulated-openai', 'simulated-vllm']);
});

test('real providers join when their keys are there, at list prices', () => {
  const { providers, models } = load({ OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: '' });
  expect(providers.map(({ id }) => id)).toContain('openai');
  expect(providers.map(({ id }) => id)).not.toContain('anthropic');
  const real = models.filter(({ deployments }) => deployments.some(({ provider }) => provider === 'openai'));
  expect(real.length).toBeGreaterThan(1);
  for (const { price } of real) expect(price.input).toBeGreaterThan(0n);
  expect(load({ ANTHROPIC_API_KEY: 'sk-2' }).providers.map(({ id }) => id)).toContain('anthropic');
});

import { loadConfig, type Config } from '@tokenhub/config';
import { startSimulator, type Simulator } from '@tokenhub/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeProviderModels } from './provider-models.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

const read = (more = ''): Config =>
  loadConfig(
    `
providers:
  - { id: openai, type: openai, base_url: "${simulator.url}/openai/v1", api_key: sk, allow_private: true }
  - { id: claude, type: anthropic, base_url: "${simulator.url}/anthropic", api_key: sk, allow_private: true }
  - { id: refused, type: openai, base_url: "${simulator.url}/openai/v1", api_key: wrong-key, allow_private: true }
  - { id: away, type: vllm, base_url: "http://127.0.0.1:9/v1", allow_private: true }
models:
  - { id: mine, deployments: [{ provider: openai, model: sim-1 }], price: free }
${more}`,
    { env: {}, fileName: 'test.yaml' },
  );

test('writes what is not configured yet, so that it can be pasted', async () => {
  const yaml = await writeProviderModels(read(), 'openai');
  expect(yaml).toContain('lists 4 models, of which 1 are configured already');
  const pasted = yaml.replaceAll(/# price:.*/g, 'price: free').replace(/^.*\nmodels:\n/, '');
  const models = read(pasted).models.map(({ id, kind }) => [id, kind]);
  expect(models).toEqual([
    ['mine', 'chat'],
    ['sim-mini', 'chat'],
    ['sim-reasoner', 'chat'],
    ['sim-embedding', 'embedding'],
  ]);
});

test('asks Anthropic in its own way', async () => {
  expect(await writeProviderModels(read(), 'claude')).toContain('provider: "claude"');
});

test('says what is wrong', async () => {
  await expect(writeProviderModels(read(), 'nobody')).rejects.toThrow('has no provider nobody; it has openai, claude');
  await expect(writeProviderModels(read(), 'away')).rejects.toThrow('127.0.0.1:9/v1/models cannot be reached');
  await expect(writeProviderModels(read(), 'refused')).rejects.toThrow('answers 401');
});

import { expect, test } from 'vitest';
import { readUsage } from './usage.ts';

test.each([
  [
    'OpenAI',
    {
      prompt_tokens: 100,
      completion_tokens: 30,
      total_tokens: 130,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 20 },
    },
    { promptTokens: 100, completionTokens: 30, cachedTokens: 64, reasoningTokens: 20 },
  ],
  [
    'xAI, whose completion tokens leave the reasoning out',
    {
      prompt_tokens: 165,
      completion_tokens: 2,
      total_tokens: 296,
      completion_tokens_details: { reasoning_tokens: 129 },
    },
    { promptTokens: 165, completionTokens: 131, reasoningTokens: 129 },
  ],
  [
    'DeepSeek',
    { prompt_tokens: 50, completion_tokens: 3, prompt_cache_hit_tokens: 48, prompt_cache_miss_tokens: 2 },
    { promptTokens: 50, completionTokens: 3, cachedTokens: 48 },
  ],
  [
    'Together',
    { prompt_tokens: 92, completion_tokens: 16, total_tokens: 108, cached_tokens: 1, reasoning_tokens: 18 },
    { promptTokens: 92, completionTokens: 16, cachedTokens: 1, reasoningTokens: 18 },
  ],
  [
    'OpenRouter',
    { prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 7 } },
    { promptTokens: 9, cachedTokens: 0, cacheWriteTokens: 7 },
  ],
  [
    'a gateway before Anthropic',
    { prompt_tokens: 9, cache_read_input_tokens: 2, cache_creation_input_tokens: 3 },
    { promptTokens: 9, cachedTokens: 2, cacheWriteTokens: 3 },
  ],
  [
    'LiteLLM before Anthropic',
    {
      prompt_tokens: 200,
      prompt_tokens_details: {
        cached_tokens: 80,
        cache_creation_tokens: 30,
        cache_creation_token_details: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      },
    },
    { promptTokens: 200, cachedTokens: 80, cacheWriteTokens: 30, cacheWrite1hTokens: 20 },
  ],
  [
    'one who sends nonsense',
    { prompt_tokens: '9', completion_tokens: -1.5, prompt_tokens_details: null, completion_tokens_details: [] },
    { completionTokens: -1.5 },
  ],
])('reads the usage of %s', (_, usage, expected) => {
  const none = { cachedTokens: undefined, cacheWriteTokens: undefined, reasoningTokens: undefined };
  expect(readUsage({ usage })).toEqual({ promptTokens: undefined, completionTokens: undefined, ...none, ...expected });
  expect(readUsage({ x_groq: { usage } })).toEqual(readUsage({ usage }));
});

test.each([[{}], [{ usage: null }], [{ usage: {} }], [{ usage: 5 }], [{ x_groq: { id: 'r' } }]])(
  '%j reports no usage',
  (answer) => {
    expect(readUsage(answer)).toBeUndefined();
  },
);

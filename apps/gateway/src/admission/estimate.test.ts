import { expect, test } from 'vitest';
import { parsePrice, type ChatRequest, type RankedCandidate } from '@tokenhub/core';
import { estimateUse } from './estimate.ts';

const RANKED = [
  { candidate: { model: { price: parsePrice({ input: '1', output: '2' }) } } },
] as unknown as readonly RankedCandidate[];

test.each<[Partial<ChatRequest>, number]>([
  [{}, 4_096],
  [{ maxOutputTokens: 50 }, 50],
  [{ maxOutputTokens: 50, reasoning: { effort: 'low' } }, 50 + 32_768],
  [{ maxOutputTokens: 50, reasoning: { budgetTokens: 40_000 } }, 50 + 40_000],
  [{ maxOutputTokens: 50, reasoning: { effort: 'none' } }, 50],
  [{ maxOutputTokens: 50, reasoning: { budgetTokens: 0 } }, 50],
])('for the answer of %j as many as %d tokens are held', (members, tokens) => {
  const request: ChatRequest = {
    source: { dialect: 'openai', body: {} },
    messages: [],
    stream: false,
    includeUsage: false,
    choices: 1,
    losses: [],
    ...members,
  };
  expect(estimateUse(request, { bound: 0, likely: 0 }, RANKED).tokens).toBe(tokens);
});

import { expect, test } from 'vitest';
import type { ReasoningRequest } from '../chat/chat-request.ts';
import { toEffort } from './to-effort.ts';

test.each<[ReasoningRequest, string | undefined]>([
  [{}, undefined],
  [{ effort: 'max' }, 'max'],
  [{ isAdaptive: true }, undefined],
  [{ isAdaptive: true, effort: 'low' }, 'low'],
  [{ budgetTokens: 0, effort: 'high' }, 'none'],
  [{ budgetTokens: 2048 }, 'low'],
  [{ budgetTokens: 8192 }, 'medium'],
  [{ budgetTokens: 8193 }, 'high'],
])('%j is the effort %s', (reasoning, effort) => {
  expect(toEffort(reasoning)).toBe(effort);
});

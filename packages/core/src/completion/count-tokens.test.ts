import { expect, test, vi } from 'vitest';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import type { Script } from '../undici/__fixtures__/test-server.ts';
import { hang } from './__fixtures__/scripts.ts';
import { createWorld } from './__fixtures__/world.ts';
import { countTokens } from './count-tokens.ts';

test('a provider has ten seconds for the whole of its count, then it is an estimate', { timeout: 5_000 }, async () => {
  let time = 0;
  const script: Script = (response, request) => {
    time = 9_900;
    hang('{')(response, request);
  };
  await using world = await createWorld({ providers: { claude: script } });
  const request = anthropicDialect.readRequest({ max_tokens: 1, messages: [{ role: 'user', content: 'Hello' }] });
  const { ranked, cancel, hungUp } = world;
  const count = await countTokens({ request, ranked, requestId: 'r', signal: cancel.signal, now: () => time });
  expect(count.isEstimated).toBe(true);
  await vi.waitFor(() => expect(hungUp).toEqual(['claude']));
});

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../chat/json.ts';
import { parsePrice } from '../cost/parse-price.ts';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { createProvider } from '../providers/create-provider.ts';
import { staticCredential } from '../providers/credential.ts';
import type { Candidate } from '../router/candidate.ts';
import { whyLost, writeFor } from './write-for.ts';

const MESSAGES = [{ role: 'user', content: 'Hello' }];
const REFUSED = ['user', 'n', 'logprobs', 'top_logprobs', 'seed', 'verbosity', 'safety_identifier'];

/** Of a server that takes what a vendor takes, but for some members. */
function createCandidate(vendor: 'openai' | 'anthropic' = 'openai'): Candidate {
  const provider = createProvider(vendor, {
    id: 'strict',
    baseUrl: new URL('https://strict.test/v1/'),
    credential: staticCredential('key', () => 0),
    timeouts: { firstEventMs: 1, wholeAnswerMs: 1, progressMs: 1 },
    http: { post: () => Promise.reject(new Error('not asked')) },
  });
  const model = { id: 'm', weight: 1, price: parsePrice({ input: '1', output: '1' }) };
  return { id: 'm@strict', model, provider: { ...provider, quirks: { refused: REFUSED } }, upstreamModel: 'theirs' };
}

const relay = (members: JsonObject) =>
  writeFor(createCandidate(), openaiDialect.readRequest({ messages: MESSAGES, ...members }));

test.each([
  ['s', []],
  ['', [{ path: 'messages[].content[].thinking', isHint: true }]],
])("a relayed thought with the signature '%s' stays behind by name, or goes up", (signature, losses) => {
  const thought = { type: 'thinking', thinking: 'Hm', signature };
  const text = { type: 'text', text: 'Yes' };
  const messages = [...MESSAGES, { role: 'assistant', content: [thought, text] }, ...MESSAGES];
  const written = writeFor(createCandidate('anthropic'), anthropicDialect.readRequest({ max_tokens: 9, messages }));
  expect(written.losses).toEqual(losses);
  expect(JSON.stringify(written.body).includes('Hm')).toBe(losses.length === 0);
});

describe('members that a server refuses', () => {
  const asked = { n: 2, logprobs: true, top_logprobs: 3, user: 'ada' };
  const lost = [{ path: 'user', isHint: true }, { path: 'n' }, { path: 'logprobs' }, { path: 'top_logprobs' }];

  test('are lost to callers of its own dialect, as they are to others', () => {
    const { body, losses } = relay({ ...asked, seed: 7, temperature: 1, something_new: 1 });
    expect(body).toEqual({ model: 'theirs', messages: MESSAGES, temperature: 1, something_new: 1 });
    expect(losses).toEqual([...lost, { path: 'seed' }]);
    expect(whyLost(losses)).toMatchObject({ code: 'unsupported_parameter', param: 'n' });

    const other = anthropicDialect.readRequest({ max_tokens: 9, messages: MESSAGES, metadata: { user_id: 'ada' } });
    const written = writeFor(createCandidate(), { ...other, choices: 2, logprobs: 3 });
    expect(written.body).not.toMatchObject({ user: expect.anything() });
    expect(written.losses).toEqual(lost);
  });

  test('stay behind without a word where they ask for nothing', () => {
    const { body, losses } = relay({ n: 1, logprobs: false, top_logprobs: 0, user: null, verbosity: 'medium' });
    expect(body).toEqual({ model: 'theirs', messages: MESSAGES });
    expect(losses).toEqual([]);
  });

  test('are hints where the answer is the same without', () => {
    const { losses } = relay({ user: 'ada', safety_identifier: 'ada' });
    expect(losses).toMatchObject([
      { path: 'user', isHint: true },
      { path: 'safety_identifier', isHint: true },
    ]);
    expect(whyLost(losses)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { patchRequest } from './patch-request.ts';
import { readRequest } from './read-request.ts';

const QUESTION = { role: 'user', content: 'a' };
const CALL = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };

describe('the reasoning that a relay has put in `reasoning_content` and a client sends back', () => {
  test.each([
    ['alone', { reasoning_content: 'Hm' }, { reasoning: 'Hm' }],
    ['beside its copy', { reasoning: 'Hm', reasoning_content: 'Hm' }, { reasoning: 'Hm' }],
    ['without a text', { reasoning_content: null }, {}],
  ])('goes up as `reasoning`, which newer vLLM reads and Groq takes no other than: %s', (_, sent, expected) => {
    const message = { role: 'assistant', content: 'b', ...sent };
    const request = readRequest({ messages: [QUESTION, message] });
    const body = patchRequest(request, { model: 'm', quirks: { bareReasoning: true } });
    expect(body['messages']).toEqual([QUESTION, { ...message, ...expected }]);
    const refused = ['reasoning_content'];
    const strict = patchRequest(request, { model: 'm', quirks: { bareReasoning: true, refused } });
    expect(strict['messages']).toEqual([QUESTION, { role: 'assistant', content: 'b', ...expected }]);
  });

  test.each([
    ['before a text', { content: 'b' }, { content: [{ type: 'text', text: 'b' }] }],
    ['before parts', { content: [{ type: 'text', text: 'b' }] }, { content: [{ type: 'text', text: 'b' }] }],
    ['before calls alone', { content: null, tool_calls: [CALL] }, { content: [], tool_calls: [CALL] }],
  ])('goes up as a thought, since Mistral refuses the name: %s', (_, said, { content, ...rest }) => {
    const message = { role: 'assistant', reasoning_content: 'Hm', ...said };
    const body = patchRequest(readRequest({ messages: [message] }), { model: 'm', quirks: { contentParts: true } });
    const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }], closed: true };
    expect(body['messages']).toEqual([{ role: 'assistant', ...rest, content: [thought, ...content] }]);
  });

  test('goes up as it is to any other provider', () => {
    const messages = [{ role: 'assistant', content: 'b', reasoning_content: 'Hm', reasoning: 'Hm' }];
    expect(patchRequest(readRequest({ messages }), { model: 'm', quirks: {} })['messages']).toEqual(messages);
  });

  test('is read once', () => {
    const message = { role: 'assistant', content: 'b', reasoning_content: 'Hm', reasoning: 'Hm' };
    expect(readRequest({ messages: [message] }).messages[0]?.content).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'b' },
    ]);
  });
});

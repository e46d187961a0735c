import { expect, test } from 'vitest';
import { readError as readAnthropicError } from './anthropic/read-error.ts';
import { readError as readOpenaiError } from './openai-errors/read-error.ts';

const body = JSON.stringify({ error: { message: 'prompt is too long: 9 tokens > 8 maximum' } });

test.each(['prompt is too long', 'maximum context length', 'context_length_exceeded'])(
  'clients that look for "%s" know a prompt that is too long, whatever the provider speaks',
  (words) => {
    for (const readError of [readAnthropicError, readOpenaiError]) {
      expect(readError({ status: 400, headers: {}, body }).message).toContain(words);
    }
  },
);

import type { Answer, Ask, Usage } from '../answer.ts';
import { toLogprobs } from '../logprobs.ts';
import type { StreamEvent } from './wire.ts';

/** What one chunk of a chat completion says; how it is spelled is up to the server. */
export interface Chunk {
  /** `undefined` on the chunk that carries nothing but usage. */
  readonly choice: number | undefined;
  readonly delta: Record<string, unknown>;
  readonly logprobs: ChatLogprobs | null;
  readonly finishReason: string | null;
  readonly usage: Usage | undefined;
}

/** The probabilities of a piece of text, as a choice holds them. */
type ChatLogprobs = Record<'content' | 'refusal', unknown>;

/** The chunks of a streamed chat completion in order; several choices take turns. */
export function toChatStream(answer: Answer, ask: Ask, spell: (chunk: Chunk) => string): StreamEvent[] {
  const events: StreamEvent[] = [];
  let tokens = 0;
  const add = (kind: StreamEvent['kind'], delta: Chunk['delta'], finishReason: string | null = null): void => {
    for (let choice = 0; choice < ask.choices; choice++) {
      if (kind === 'content') tokens++;
      const usage = ask.continuousUsage ? answer.usageAt(tokens) : undefined;
      const text = delta['content'];
      const logprobs = typeof text === 'string' ? toChatLogprobs(text === '' ? [] : [text], ask) : null;
      events.push({ kind, text: `data: ${spell({ choice, delta, logprobs, finishReason, usage })}\n\n` });
    }
  };

  add('start', { role: 'assistant', content: answer.text.length === 0 && answer.calls.length > 0 ? null : '' });
  for (const text of answer.reasoning) add('content', { reasoning_content: text });
  for (const text of answer.text) add('content', { content: text });
  for (const [index, call] of answer.calls.entries()) {
    const opening = { index, id: `call_sim${call.id}`, type: 'function', function: { name: call.name, arguments: '' } };
    add('content', { tool_calls: [opening] });
    for (const text of call.fragments) add('content', { tool_calls: [{ index, function: { arguments: text } }] });
  }
  add('finish', {}, answer.finish);
  if (ask.includeUsage && answer.usage !== undefined) {
    const chunk = { choice: undefined, delta: {}, logprobs: null, finishReason: null, usage: answer.usage };
    events.push({ kind: 'usage', text: `data: ${spell(chunk)}\n\n` });
  }
  events.push({ kind: 'terminator', text: 'data: [DONE]\n\n' });
  return events;
}

/** What a choice says of the probabilities of its text; null unless asked for. */
export function toChatLogprobs(text: readonly string[], { topLogprobs }: Ask): ChatLogprobs | null {
  return topLogprobs === undefined ? null : { content: toLogprobs(text, topLogprobs), refusal: null };
}

/** The message of a chat completion that is not streamed. */
export function toChatMessage(answer: Answer): Record<string, unknown> {
  return {
    role: 'assistant',
    content: answer.text.length === 0 && answer.calls.length > 0 ? null : answer.text.join(''),
    ...(answer.reasoning.length > 0 && { reasoning_content: answer.reasoning.join('') }),
    ...(answer.calls.length > 0 && {
      tool_calls: answer.calls.map((call) => ({
        id: `call_sim${call.id}`,
        type: 'function',
        function: { name: call.name, arguments: call.fragments.join('') },
      })),
    }),
  };
}

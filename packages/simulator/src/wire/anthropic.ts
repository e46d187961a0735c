import type { Answer, Usage } from '../answer.ts';
import { createRandom } from '../words.ts';
import { readMessagesRequest } from './read-messages-request.ts';
import { Refusal, type StreamEvent, type Wire } from './wire.ts';

/** Anthropic's messages. Source: https://docs.anthropic.com/en/api/messages-streaming */
export const anthropicWire: Wire = {
  name: 'anthropic',
  method: 'POST',
  route: 'messages',

  checkKey(headers) {
    const key = headers['x-api-key'] ?? headers.authorization;
    if (key === undefined) {
      throw new Refusal('x-api-key header is required', { status: 401, type: 'authentication_error' });
    }
    if (/^(?:Bearer )?wrong/.test(String(key))) throw anthropicWire.toRefusal(401);
    if (headers['anthropic-version'] === undefined) {
      throw new Refusal('anthropic-version: header is required', { status: 400, type: 'invalid_request_error' });
    }
  },

  readRequest: readMessagesRequest,

  writeStream(answer, ask) {
    const events: StreamEvent[] = [];
    const random = createRandom(Number.parseInt(answer.id, 16));
    const add = (kind: StreamEvent['kind'], data: { type: string; [member: string]: unknown }): void => {
      // Anthropic pads its events with spaces, so that their length says nothing about the text.
      const padding = ' '.repeat(Math.floor(random() * 15));
      const json = JSON.stringify(data);
      events.push({ kind, text: `event: ${data.type}\ndata: ${json.slice(0, -1)}${padding}}\n\n` });
    };
    const before = answer.usageAt(0);
    const message = { ...toMessage(answer, ask.model), content: [], stop_reason: null };
    add('start', {
      type: 'message_start',
      message: { ...message, ...(before && { usage: { ...toUsage(before), service_tier: 'standard' } }) },
    });
    for (const [index, block] of toBlocks(answer).entries()) {
      const isCall = block.start['type'] === 'tool_use';
      add(isCall ? 'content' : 'start', { type: 'content_block_start', index, content_block: block.start });
      if (index === 0) events.push({ kind: 'start', text: anthropicWire.ping });
      for (const delta of block.deltas) add('content', { type: 'content_block_delta', index, delta });
      if (block.signature !== undefined) {
        const delta = { type: 'signature_delta', signature: block.signature };
        add('start', { type: 'content_block_delta', index, delta });
      }
      add('start', { type: 'content_block_stop', index });
    }
    add('finish', {
      type: 'message_delta',
      delta: { stop_reason: STOP_REASONS[answer.finish], stop_sequence: null },
      ...(answer.usage && { usage: toUsage(answer.usage) }),
    });
    add('terminator', { type: 'message_stop' });
    return events;
  },

  writeAnswer(answer, ask) {
    return JSON.stringify({
      ...toMessage(answer, ask.model),
      content: toBlocks(answer).map((block) => block.whole),
      stop_reason: STOP_REASONS[answer.finish],
      ...(answer.usage && { usage: { ...toUsage(answer.usage), service_tier: 'standard' } }),
    });
  },

  writeError({ type, message }, requestId) {
    return JSON.stringify({ type: 'error', error: { type, message }, request_id: requestId });
  },

  writeStreamError() {
    const error = { details: null, type: 'overloaded_error', message: 'Overloaded [simulated]' };
    return `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`;
  },

  writeRawDelta: (text) =>
    `event: content_block_delta\ndata: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`,

  ping: 'event: ping\ndata: {"type": "ping"}\n\n',

  toRefusal(status) {
    const [type, message] = REFUSALS[status] ?? ['api_error', 'Internal server error [simulated]'];
    return new Refusal(message, { status, type });
  },

  contextRefusal: new Refusal('prompt is too long: 9000 tokens > 8192 maximum', {
    status: 400,
    type: 'invalid_request_error',
  }),

  headers: (requestId) => ({ 'request-id': requestId }),
};

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;

const REFUSALS: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ['invalid_request_error', 'This request is refused on demand. [simulated]'],
  401: ['authentication_error', 'invalid x-api-key'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource. [simulated]'],
  404: ['not_found_error', 'model: simulated'],
  408: ['timeout_error', 'Request timed out. [simulated]'],
  429: ['rate_limit_error', "This request would exceed your account's rate limit. [simulated]"],
  529: ['overloaded_error', 'Overloaded [simulated]'],
};

interface Block {
  readonly start: Record<string, unknown>;
  readonly deltas: readonly Record<string, unknown>[];
  readonly signature?: string;
  readonly whole: Record<string, unknown>;
}

function toBlocks(answer: Answer): Block[] {
  const blocks: Block[] = [];
  if (answer.reasoning.length > 0) {
    const thinking = answer.reasoning.join('');
    const signature = Buffer.from(`simulated signature ${answer.id}`).toString('base64');
    blocks.push({
      start: { type: 'thinking', thinking: '', signature: '' },
      deltas: answer.reasoning.map((text) => ({ type: 'thinking_delta', thinking: text })),
      signature,
      whole: { type: 'thinking', thinking, signature },
    });
  }
  if (answer.text.length > 0) {
    blocks.push({
      start: { type: 'text', text: '' },
      deltas: answer.text.map((text) => ({ type: 'text_delta', text })),
      whole: { type: 'text', text: answer.text.join('') },
    });
  }
  for (const { id, name, fragments } of answer.calls) {
    const start = { type: 'tool_use', id: `toolu_sim${id}`, name, input: {} };
    blocks.push({
      start,
      deltas: fragments.map((text) => ({ type: 'input_json_delta', partial_json: text })),
      whole: { ...start, input: parseInput(fragments.join('')) },
    });
  }
  return blocks;
}

/** Arguments cut short by `max_tokens` are no JSON any more; Anthropic then answers what it has, here nothing. */
function parseInput(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

function toMessage(answer: Answer, model: string): Record<string, unknown> {
  return { model, id: `msg_sim${answer.id}`, type: 'message', role: 'assistant', stop_sequence: null };
}

/** Anthropic counts what came from its cache apart from the other input. */
function toUsage(usage: Usage): Record<string, unknown> {
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedTokens,
    output_tokens: usage.completionTokens,
    ...(usage.reasoningTokens > 0 && { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
  };
}

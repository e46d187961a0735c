import type { ChatMessage, ChatRequest, Tool } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import type { RequestTarget } from '../dialect.ts';
import type { WireRequestBlock, WireTextBlock } from './wire.ts';
import { planThinking } from './plan-thinking.ts';

/** Sent when neither the caller nor the configuration gives a bound, which Anthropic requires. */
const DEFAULT_MAX_TOKENS = 4096;

/**
 * The body for Anthropic when the caller speaks another dialect.
 * @throws GatewayError `unsupported_parameter`, naming what Anthropic has no counterpart for; `invalid_parameter` for
 * tool arguments that are not JSON, which Anthropic cannot take.
 */
export function writeRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  refuseUntranslatable(request);
  const limit = target.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const asked = Math.min(request.maxOutputTokens ?? target.maxOutputTokens ?? DEFAULT_MAX_TOKENS, limit);
  const { thinking, maxTokens } = planThinking(request, { asked, limit });
  const system = toTextBlocks(
    request.messages.filter((message) => message.role === 'system').flatMap(({ content }) => content),
  );
  const toolChoice = toToolChoice(request);
  return {
    model: target.model,
    max_tokens: maxTokens,
    ...(system.length > 0 && { system: unwrap(system) }),
    messages: toTurns(request.messages),
    ...(request.stream && { stream: true }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.topP !== undefined && { top_p: request.topP }),
    ...(request.topK !== undefined && { top_k: request.topK }),
    ...(request.stop !== undefined && request.stop.length > 0 && { stop_sequences: request.stop }),
    ...(request.tools !== undefined && request.tools.length > 0 && { tools: request.tools.map(toTool) }),
    ...(toolChoice !== undefined && { tool_choice: toolChoice }),
    ...(thinking !== undefined && { thinking }),
    ...(request.user !== undefined && { metadata: { user_id: request.user } }),
  };
}

function refuseUntranslatable({ untranslatable, choices, temperature }: ChatRequest): void {
  const [first] = untranslatable;
  if (first !== undefined)
    throw unsupported(first, 'has no counterpart at the provider of this model; leave it out or name another model');
  if (choices > 1) throw unsupported('n', 'must be 1: the provider of this model gives one answer');
  if (temperature !== undefined && temperature > 1) {
    throw unsupported('temperature', 'must be from 0 to 1 for the provider of this model');
  }
}

/** Messages as Anthropic's alternating turns: neighbours of one role are joined, results of tools are the user's. */
function toTurns(messages: readonly ChatMessage[]): JsonObject[] {
  const turns: { role: 'user' | 'assistant'; content: WireRequestBlock[] }[] = [];
  for (const [i, message] of messages.entries()) {
    if (message.role === 'system') continue;
    const blocks = toBlocks(message, i);
    // Anthropic refuses empty texts and turns, other dialects allow them; they say nothing.
    if (blocks.length === 0) continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else turns.push({ role, content: blocks });
  }
  if (turns.length === 0) {
    throw new GatewayError(
      'invalid_parameter',
      'messages must hold at least one message that says something besides system messages.',
      {
        param: 'messages',
      },
    );
  }
  return turns;
}

function toBlocks(message: Exclude<ChatMessage, { role: 'system' }>, index: number): WireRequestBlock[] {
  if (message.role === 'tool') {
    const content = toTextBlocks(message.content);
    return [
      {
        type: 'tool_result',
        tool_use_id: toToolId(message.toolCallId),
        ...(content.length > 0 && { content: unwrap(content) }),
        ...(message.isError === true && { is_error: true }),
      },
    ];
  }
  const blocks: WireRequestBlock[] = [];
  for (const part of message.content) {
    if (part.type === 'text') {
      if (part.text !== '') blocks.push({ type: 'text', text: part.text });
    } else if (part.type === 'redacted-reasoning') {
      blocks.push({ type: 'redacted_thinking', data: part.data });
    } else if (part.signature) {
      // Reasoning that is not signed is left out: Anthropic refuses what its own model did not sign.
      blocks.push({ type: 'thinking', thinking: part.text, signature: part.signature });
    }
  }
  if (message.role === 'user') return blocks;
  for (const [i, { id, name, arguments: text }] of message.toolCalls.entries()) {
    const input = parseInput(text, `messages[${index}].tool_calls[${i}].function.arguments`);
    blocks.push({ type: 'tool_use', id: toToolId(id), name, input });
  }
  return blocks;
}

function parseInput(text: string, param: string): JsonObject {
  if (text.trim() === '') return {};
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    // The parser's own message would quote the caller's data.
  }
  if (isJsonObject(input)) return input;
  throw new GatewayError('invalid_parameter', `${param} must be the text of a JSON object.`, { param });
}

/** Anthropic takes only these characters in ids; some servers make ids with others. */
function toToolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_');
}

function toTextBlocks(parts: readonly { readonly text: string }[]): WireTextBlock[] {
  return parts.filter(({ text }) => text !== '').map(({ text }) => ({ type: 'text', text }));
}

/** A single text in its short form. */
function unwrap(blocks: WireTextBlock[]): string | WireTextBlock[] {
  const [first] = blocks;
  return first !== undefined && blocks.length === 1 ? first.text : blocks;
}

function toTool({ name, description, parameters, strict }: Tool): JsonObject {
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: { type: 'object', ...parameters },
    ...(strict === true && { strict }),
  };
}

function toToolChoice({ tools, toolChoice, parallelToolCalls }: ChatRequest): JsonObject | undefined {
  const type = toolChoice === undefined ? 'auto' : toolChoice.type === 'required' ? 'any' : toolChoice.type;
  const alone = parallelToolCalls === false && type !== 'none' && tools !== undefined && tools.length > 0;
  if (toolChoice === undefined && !alone) return undefined;
  return {
    type,
    ...(toolChoice?.type === 'tool' && { name: toolChoice.name }),
    ...(alone && { disable_parallel_tool_use: true }),
  };
}

function unsupported(param: string, rule: string): GatewayError {
  return new GatewayError('unsupported_parameter', `${param} ${rule}.`, { param });
}

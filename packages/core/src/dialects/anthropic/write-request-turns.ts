import type {
  CacheMark,
  ChatMessage,
  ContentPart,
  DocumentPart,
  MediaSource,
  ReasoningPart,
} from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { parseExactJsonObject } from '../../json/parse-json-object.ts';
import type { Losses } from '../losses.ts';
import { writeCacheMark } from './cache-mark.ts';
import type { ModelRules } from './model-rules.ts';

const PDF = 'application/pdf';

interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly content: JsonObject[];
}

/** A conversation as Anthropic has it. */
export interface WrittenConversation {
  /** What the system says before all turns; `undefined` when that is nothing. */
  readonly system: JsonValue | undefined;
  readonly messages: JsonObject[];
}

/**
 * Messages as Anthropic's alternating turns: neighbours of one role are joined, results of tools are the user's. What the
 * system says later than at the beginning stays in its place where the model takes it there, between the user's turn and
 * the assistant's or at the end; from elsewhere it goes to the beginning.
 * Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
 * @throws GatewayError `invalid_parameter` when no message says anything.
 */
export function writeConversation(
  messages: readonly ChatMessage[],
  { takesSystemInPlace }: ModelRules,
  losses: Losses,
): WrittenConversation {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  const said = joinTurns(messages.map(writeTurn));
  for (const [i, turn] of said.entries()) {
    const isInPlace = takesSystemInPlace && said[i - 1]?.role === 'user' && said[i + 1]?.role !== 'user';
    if (turn.role !== 'system' || isInPlace) addTurn(turns, turn);
    else for (const block of turn.content) system.push(block);
  }
  if (turns.length > 0) {
    return { system: shorten(system), messages: turns.map(({ role, content }) => ({ role, content })) };
  }
  throw losses.invalid('messages', 'must hold at least one message that says something besides system messages');
}

function writeTurn(message: ChatMessage, index: number): Turn {
  const role = message.role === 'tool' ? 'user' : message.role;
  return { role, content: writeMessage(message, index) };
}

/** Anthropic refuses empty texts and turns, other dialects allow them; they say nothing. */
function joinTurns(turns: readonly Turn[]): Turn[] {
  const joined: Turn[] = [];
  for (const turn of turns) if (turn.content.length > 0) addTurn(joined, turn);
  return joined;
}

function addTurn(turns: Turn[], turn: Turn): void {
  const last = turns.at(-1);
  if (last?.role !== turn.role) turns.push(turn);
  else for (const block of turn.content) last.content.push(block);
}

/** Blocks as content, a single text in its short form; `undefined` when they say nothing. */
function shorten(blocks: readonly JsonObject[]): JsonValue | undefined {
  const [first, ...others] = blocks;
  if (first === undefined) return undefined;
  const isPlain = others.length === 0 && first['type'] === 'text' && first['cache_control'] === undefined;
  return isPlain ? first['text'] : blocks;
}

function writeMessage(message: ChatMessage, index: number): JsonObject[] {
  if (message.role === 'tool') {
    const content = shorten(message.content.flatMap(writePart));
    return [
      {
        type: 'tool_result',
        tool_use_id: toToolId(message.toolCallId),
        ...(content !== undefined && { content }),
        ...(message.isError === true && { is_error: true }),
      },
    ];
  }
  const blocks = message.content.flatMap(writePart);
  if (message.role !== 'assistant') return blocks;
  for (const [i, { id, name, arguments: text, cache }] of message.toolCalls.entries()) {
    const input = parseInput(text, `messages[${index}].tool_calls[${i}].function.arguments`);
    blocks.push(mark({ type: 'tool_use', id: toToolId(id), name, input }, cache));
  }
  return blocks;
}

function writePart(part: ContentPart): JsonObject[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [mark({ type: 'text', text: part.text }, part.cache)];
    case 'image':
      return [mark({ type: 'image', source: writeSource(part.source) }, part.cache)];
    case 'document':
      return [mark(writeDocument(part), part.cache)];
    case 'reasoning':
      return isOwnReasoning(part) ? [{ type: 'thinking', thinking: part.text, signature: part.signature }] : [];
    case 'redacted-reasoning':
      return isOwnReasoning(part) ? [{ type: 'redacted_thinking', data: part.data }] : [];
  }
}

/** Anthropic refuses reasoning that it has not signed or encrypted; it means nothing to its models. */
export function isOwnReasoning(part: ReasoningPart): boolean {
  return part.format === undefined && (part.type === 'redacted-reasoning' || Boolean(part.signature));
}

function writeDocument({ source, name, path }: DocumentPart): JsonObject {
  const written =
    source.type === 'text'
      ? { type: 'text', media_type: 'text/plain', data: source.text }
      : source.type === 'base64' && source.mediaType.startsWith('text/')
        ? { type: 'text', media_type: 'text/plain', data: decodeText(source.data, path) }
        : writeSource(source);
  return { type: 'document', source: written, ...(name !== undefined && { title: name }) };
}

function writeSource(source: MediaSource): JsonObject {
  if (source.type === 'url') return { type: 'url', url: source.url };
  return { type: 'base64', media_type: source.mediaType === '' ? PDF : source.mediaType, data: source.data };
}

function decodeText(base64: string, param: string): string {
  let bytes: string;
  try {
    bytes = atob(base64.replaceAll('-', '+').replaceAll('_', '/'));
  } catch (cause) {
    throw new GatewayError('invalid_parameter', `${param} must hold base64.`, { param, cause });
  }
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}

function mark(block: JsonObject, cache: CacheMark | undefined): JsonObject {
  return cache === undefined ? block : { ...block, cache_control: writeCacheMark(cache) };
}

function parseInput(text: string, param: string): JsonObject {
  const input = text.trim() === '' ? {} : parseExactJsonObject(text);
  if (input !== undefined) return input;
  throw new GatewayError('invalid_parameter', `${param} must be the text of a JSON object.`, { param });
}

/** Anthropic takes only these characters in ids; some servers make ids with others, of which each gets a name of its own. */
function toToolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
}

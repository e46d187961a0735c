import type { ChatMessage, ChatRequest, ContentPart, Loss, Tool } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject } from '../../chat/json.ts';
import type { DialectName } from '../../dialects/dialect.ts';
import { toEffort } from '../../dialects/to-effort.ts';
import { TOOL_FAILED } from '../../dialects/tool-failed.ts';

/** The neutral members that a loss takes away, by the last name of the loss's path in any dialect. */
const LOST: Readonly<Record<string, keyof ChatRequest>> = {
  stop: 'stop',
  stop_sequences: 'stop',
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  tool_choice: 'toolChoice',
  thinking: 'reasoning',
  reasoning: 'reasoning',
  reasoning_effort: 'reasoning',
};

/** How a request went into a dialect: what was not carried over, and which dialect it was. */
export interface Passage {
  readonly losses: readonly Loss[];
  readonly to: DialectName;
}

/** What of a request must be the same on both sides of a passage. */
export function comparable(request: ChatRequest, passage: Passage): JsonObject {
  const kept: ChatRequest = { ...request };
  for (const { path } of passage.losses) {
    const member = LOST[path];
    if (member !== undefined) Reflect.set(kept, member, undefined);
  }
  const toAnthropic = passage.to === 'anthropic';
  const { stop = [], tools = [] } = kept;
  const turns = toAnthropic ? kept.messages.filter(({ role }) => role !== 'system') : kept.messages;
  const said: unknown = {
    // With Anthropic some of what the system says moves to the front.
    system: toAnthropic ? systemTexts(kept).toSorted() : undefined,
    messages: joinMessages(turns, passage),
    stream: kept.stream,
    temperature: kept.temperature,
    topP: kept.topP,
    topK: kept.topK,
    stop,
    tools: tools.map(comparableTool),
    ...comparableToolUse(kept, toAnthropic),
    maxOutputTokens: toAnthropic ? undefined : kept.maxOutputTokens,
    reasoning: comparableReasoning(kept, toAnthropic),
    responseFormat: comparableFormat(kept, toAnthropic),
    user: kept.user,
  };
  return JSON.parse(JSON.stringify(said));
}

/** True when the request ends in the middle of a tool loop, of which no call has signed reasoning. */
export function endsInToolLoop({ messages }: ChatRequest): boolean {
  return messages.findLast(({ role }) => role !== 'system' && role !== 'user')?.role === 'tool';
}

/** True when the last message that says anything to a user or an assistant is the assistant's. */
export function endsInAnswer({ messages }: ChatRequest): boolean {
  const last = messages.findLast(
    ({ role, content }) => role === 'tool' || (role !== 'system' && content.some(saysSomething)),
  );
  return last?.role === 'assistant';
}

/** How tools are used, which says nothing where there are none. */
function comparableToolUse(
  { parallelToolCalls, tools = [], toolChoice }: ChatRequest,
  toAnthropic: boolean,
): Pick<ChatRequest, 'toolChoice' | 'parallelToolCalls'> {
  if (tools.length === 0) return {};
  if (!toAnthropic) return { toolChoice, parallelToolCalls };
  // Anthropic has it in one member with the permission of parallel calls, and says `auto` for that alone.
  return {
    toolChoice: toolChoice?.type === 'auto' ? undefined : toolChoice,
    parallelToolCalls: parallelToolCalls === false && toolChoice?.type !== 'none' ? false : undefined,
  };
}

function comparableTool({ name, description, parameters, strict = false }: Tool): unknown {
  const { properties, ...others } = parameters ?? {};
  const isBare = !isJsonObject(properties) || Object.keys(properties).length === 0;
  return { name, description, parameters: { type: 'object', ...others, ...(!isBare && { properties }) }, strict };
}

function comparableReasoning({ reasoning }: ChatRequest, toAnthropic: boolean): unknown {
  const effort = reasoning && toEffort(reasoning);
  return toAnthropic && effort !== undefined ? effort !== 'none' : effort;
}

function comparableFormat({ responseFormat: format }: ChatRequest, toAnthropic: boolean): unknown {
  if (format?.type !== 'json-schema') return format;
  const { description, schema, strict = true } = format;
  return toAnthropic ? { schema } : { description, schema, strict };
}

function systemTexts({ messages }: ChatRequest): string[] {
  return messages
    .flatMap((message) => (message.role === 'system' ? message.content.map(({ text }) => text) : []))
    .filter((text) => text !== '');
}

function saysSomething(part: ContentPart): boolean {
  return part.type !== 'text' || part.text !== '';
}

/** Messages without what says nothing, and neighbours of one role as one. */
function joinMessages(messages: readonly ChatMessage[], passage: Passage): unknown[] {
  const joined: { role: string; content: unknown[]; toolCalls: unknown[]; toolCallId?: string }[] = [];
  for (const message of messages) {
    const content = comparableContent(message, passage);
    const toolCalls = message.role === 'assistant' ? message.toolCalls.map((call) => comparableCall(call, passage)) : [];
    if (message.role === 'tool') {
      joined.push({ role: 'tool', content, toolCalls, toolCallId: comparableId(message.toolCallId, passage) });
      continue;
    }
    if (content.length === 0 && toolCalls.length === 0) continue;
    const last = joined.at(-1);
    if (last?.role === message.role) {
      last.content.push(...content);
      last.toolCalls.push(...toolCalls);
    } else joined.push({ role: message.role, content, toolCalls });
  }
  return joined;
}

/** Whose models can read a piece of reasoning, by its format. Chat completions take none, but for those servers that ask for it. */
const READERS: Readonly<Record<string, DialectName>> = { anthropic: 'anthropic', openai: 'responses' };

function isReadable(part: ContentPart, to: DialectName): boolean {
  const isReasoning = part.type === 'reasoning' || part.type === 'redacted-reasoning';
  return !isReasoning || READERS[part.format ?? 'anthropic'] === to;
}

function comparableContent(message: ChatMessage, { losses, to }: Passage): unknown[] {
  const parts: readonly ContentPart[] = message.content;
  const said = parts
    .filter((part) => saysSomething(part) && isReadable(part, to))
    .map((part) => {
      if (part.type !== 'image') return { ...part, path: undefined };
      const lost = losses.some(({ path }) => path === `${part.path}.detail`);
      return { ...part, path: undefined, detail: lost ? undefined : part.detail };
    });
  return message.role === 'tool' && message.isError === true ? [{ type: 'text', text: TOOL_FAILED }, ...said] : said;
}

function comparableCall(
  { id, name, arguments: text }: { readonly id: string; readonly name: string; readonly arguments: string },
  passage: Passage,
): unknown {
  const input: unknown = JSON.parse(text);
  return { id: comparableId(id, passage), name, input };
}

function comparableId(id: string, { to }: Passage): string {
  return to === 'anthropic' ? id.replaceAll(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`) : id;
}

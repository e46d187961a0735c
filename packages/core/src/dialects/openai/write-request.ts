import type {
  ChatMessage,
  ChatRequest,
  ContentPart,
  ReasoningRequest,
  TextPart,
  ToolCall,
  ToolChoice,
} from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import type { RequestTarget } from '../dialect.ts';

/**
 * Writes a request from its neutral members, for a caller who speaks another dialect.
 *
 * The bound on the answer goes out as `max_completion_tokens`: OpenAI's reasoning models refuse `max_tokens`, and vLLM and
 * the other servers of this dialect have taken the new name since it replaced the old one in 2024.
 * @throws GatewayError `unsupported_parameter` for what OpenAI's format has no words for.
 */
export function writeRequest(request: ChatRequest, target: RequestTarget): JsonObject {
  const [untranslatable] = request.untranslatable;
  if (untranslatable !== undefined) throw unsupported(untranslatable, request);
  if (request.topK !== undefined) throw unsupported('top_k', request);
  return withoutUndefined({
    model: target.model,
    messages: request.messages.flatMap(writeMessage),
    stream: request.stream ? true : undefined,
    stream_options: request.stream ? { include_usage: true } : undefined,
    n: request.choices === 1 ? undefined : request.choices,
    max_completion_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stop,
    tools: request.tools?.map((tool) => ({ type: 'function', function: withoutUndefined({ ...tool }) })),
    tool_choice: request.toolChoice && writeToolChoice(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
    reasoning_effort: request.reasoning && writeEffort(request.reasoning),
    user: request.user,
  });
}

function unsupported(param: string, request: ChatRequest): GatewayError {
  const { dialect } = request.source;
  return new GatewayError(
    'unsupported_parameter',
    `${param} cannot be passed on to this model, which is served by a provider of the openai dialect. Leave it out, or use a model that is served by a provider of the ${dialect} dialect.`,
    { param },
  );
}

/** There is no member for a failed tool; without these words the model would take the message for a good result. */
const FAILED: TextPart = { type: 'text', text: 'The tool failed.' };

function writeMessage(message: ChatMessage): JsonObject[] {
  // Earlier reasoning stays behind: OpenAI's models take none back.
  const content: readonly ContentPart[] = message.content;
  const texts = content.filter((part) => part.type === 'text');
  if (message.role === 'assistant') return writeAssistant(texts, message.toolCalls);
  if (message.role !== 'tool') return [{ role: message.role, content: writeTexts(texts) }];
  const result = writeTexts(message.isError === true ? [FAILED, ...texts] : texts);
  return [{ role: 'tool', tool_call_id: message.toolCallId, content: result }];
}

function writeAssistant(texts: readonly TextPart[], calls: readonly ToolCall[]): JsonObject[] {
  const content = texts.length === 0 ? null : writeTexts(texts);
  const toolCalls = calls.map(({ id, ...call }) => ({ id, type: 'function', function: call }));
  if (toolCalls.length > 0) return [{ role: 'assistant', content, tool_calls: toolCalls }];
  return content === null ? [] : [{ role: 'assistant', content }];
}

/** A single text goes out as a string, which is the form that every server takes. */
function writeTexts(texts: readonly TextPart[]): JsonValue {
  const [first, ...others] = texts;
  if (first === undefined) return '';
  return others.length === 0 ? first.text : texts.map(({ text }) => ({ type: 'text', text }));
}

function writeToolChoice(choice: ToolChoice): JsonValue {
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.type;
}

/** OpenAI has no budgets, only efforts: a budget becomes one by its size, in tokens. */
function writeEffort({ effort, budgetTokens }: ReasoningRequest): string | undefined {
  if (effort !== undefined) return effort;
  if (budgetTokens === undefined) return undefined;
  if (budgetTokens === 0) return 'none';
  if (budgetTokens <= 2048) return 'low';
  return budgetTokens <= 8192 ? 'medium' : 'high';
}

function withoutUndefined(members: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

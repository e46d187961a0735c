import type {
  ChatMessage,
  ChatRequest,
  ContentPart,
  ReasoningPart,
  ResponseFormat,
  Tool,
  ToolCall,
  ToolChoice,
} from '../../chat/chat-request.ts';
import type { JsonObject, JsonValue } from '../../chat/json.ts';
import type { RequestTarget, WrittenRequest } from '../dialect.ts';
import { documentAsText } from '../document-as-text.ts';
import { Losses, NOTHING_LEFT } from '../losses.ts';
import { toUrl } from '../media-source.ts';
import { toEffort } from '../to-effort.ts';
import { TOOL_FAILED } from '../tool-failed.ts';
import { withoutUndefined } from '../write-json.ts';

/**
 * Writes a request from its neutral members, for a caller who speaks another dialect.
 * @throws GatewayError `invalid_parameter` when no message is left to write.
 */
export function writeRequest(request: ChatRequest, { model, quirks }: RequestTarget): WrittenRequest {
  const losses = new Losses(request);
  if (request.choices > 1) losses.add('n', 'must be 1: the provider of this model gives one answer');
  if (request.topK !== undefined) losses.add('top_k');
  if (request.stop !== undefined && request.stop.length > 0) losses.add('stop');
  const { responseFormat: format, reasoning, logprobs } = request;
  const { verbosity, ...openai } = request.openai ?? {};
  const effort = reasoning && toEffort(reasoning);
  const thinks = effort !== undefined && effort !== 'none';
  const include = [
    ...(thinks ? ['reasoning.encrypted_content'] : []),
    ...(logprobs === undefined ? [] : ['message.output_text.logprobs']),
  ];
  const text = withoutUndefined({ format: format && writeFormat(format), verbosity });
  losses.addReasoning(request, isOwnReasoning);
  const input = request.messages.flatMap((message) => writeItems(message, losses));
  if (input.length === 0) throw losses.invalid('messages', NOTHING_LEFT);
  const members: Record<string, JsonValue | undefined> = {
    model,
    input,
    stream: request.stream ? true : undefined,
    store: false,
    max_output_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    ...writeTools(request, losses),
    // A summary is all that is ever shown of it.
    reasoning: effort === undefined ? undefined : { effort, ...(thinks && { summary: 'auto' }) },
    text: Object.keys(text).length > 0 ? text : undefined,
    include: include.length > 0 ? include : undefined,
    top_logprobs: logprobs,
    user: request.user,
    ...openai,
  };
  return { body: losses.takenOf(members, quirks?.refused), losses: losses.list };
}

function writeItems(message: ChatMessage, losses: Losses): JsonObject[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ type: 'message', role: message.role, content: writeContent(message.content, losses) }];
    case 'tool': {
      const content = writeContent(message.content, losses);
      const said = message.isError === true ? [{ type: 'input_text', text: TOOL_FAILED }, ...content] : content;
      const [first] = said;
      const isPlain = first !== undefined && said.length === 1 && first['type'] === 'input_text';
      const output = isPlain ? (first['text'] ?? '') : said.length === 0 ? '' : said;
      return [{ type: 'function_call_output', call_id: message.toolCallId, output }];
    }
    case 'assistant':
      return [...writeOwn(message.content, losses), ...message.toolCalls.map((call) => writeCall(call, losses))];
  }
}

function writeCall({ id, name, arguments: text, cache }: ToolCall, losses: Losses): JsonObject {
  losses.addMark(cache);
  return { type: 'function_call', call_id: id, name, arguments: text };
}

/**
 * The model's own words, and the reasoning that OpenAI can read, in their order: it refuses reasoning that is not followed
 * by what it led to.
 */
function writeOwn(content: readonly ContentPart[], losses: Losses): JsonObject[] {
  const items: JsonObject[] = [];
  let texts: JsonObject[] | undefined;
  for (const part of content) {
    if (part.type === 'text') {
      losses.addMark(part.cache);
      if (texts === undefined) items.push({ type: 'message', role: 'assistant', content: (texts = []) });
      texts.push({ type: 'output_text', text: part.text, annotations: [] });
    } else if ('format' in part && isOwnReasoning(part)) {
      texts = undefined;
      items.push(writeReasoning(part));
    }
  }
  return items;
}

/** True for what OpenAI has encrypted; other reasoning means nothing to its models. */
export function isOwnReasoning({ format }: ReasoningPart): boolean {
  return format === 'openai';
}

function writeReasoning(part: ReasoningPart): JsonObject {
  const encrypted = part.type === 'reasoning' ? part.signature : part.data;
  const summary = part.type === 'reasoning' && part.text !== '' ? [{ type: 'summary_text', text: part.text }] : [];
  return withoutUndefined({ type: 'reasoning', id: part.id, summary, encrypted_content: encrypted });
}

function writeContent(parts: readonly ContentPart[], losses: Losses): JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    switch (part.type) {
      case 'text':
        losses.addMark(part.cache);
        return [{ type: 'input_text', text: part.text }];
      case 'image':
        losses.addMark(part.cache);
        return [{ type: 'input_image', image_url: toUrl(part.source), detail: part.detail ?? 'auto' }];
      case 'document': {
        losses.addMark(part.cache);
        const { source, name } = part;
        if (source.type === 'text') return [{ type: 'input_text', text: documentAsText(source.text, name) }];
        return source.type === 'url'
          ? [{ type: 'input_file', file_url: source.url }]
          : [{ type: 'input_file', filename: name ?? 'document.pdf', file_data: toUrl(source) }];
      }
      case 'reasoning':
      case 'redacted-reasoning':
        return [];
    }
  });
}

/** Without tools there is nothing to choose from. */
function writeTools(
  { tools = [], toolChoice, parallelToolCalls }: ChatRequest,
  losses: Losses,
): Record<string, JsonValue | undefined> {
  if (tools.length === 0) return {};
  return {
    tools: tools.map((tool) => writeTool(tool, losses)),
    tool_choice: toolChoice && writeToolChoice(toolChoice),
    parallel_tool_calls: parallelToolCalls,
  };
}

/** Here a tool is strict unless it says that it is not; elsewhere the other way round. */
function writeTool({ name, description, parameters, strict = false, cache }: Tool, losses: Losses): JsonObject {
  losses.addMark(cache);
  return withoutUndefined({
    type: 'function',
    name,
    description,
    parameters: parameters ?? { type: 'object', properties: {} },
    strict,
  });
}

function writeToolChoice(choice: ToolChoice): JsonValue {
  return choice.type === 'tool' ? { type: 'function', name: choice.name } : choice.type;
}

function writeFormat(format: ResponseFormat): JsonObject {
  if (format.type === 'json') return { type: 'json_object' };
  const { name = 'answer', description, schema, strict } = format;
  return withoutUndefined({ type: 'json_schema', name, description, schema, strict });
}

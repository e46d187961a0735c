import { PLAIN_ASK, type Ask, type ToolOffer } from '../answer.ts';
import { isObject, Refusal, textOf } from './wire.ts';

/**
 * Reads and checks an Anthropic messages request as far as the answer depends on it.
 * @throws Refusal in Anthropic's words.
 */
export function readMessagesRequest(body: unknown): Ask {
  if (!isObject(body)) throw invalid('The request body is not valid JSON');
  const { model, messages, max_tokens: maxTokens, tool_choice: toolChoice, thinking } = body;
  if (typeof model !== 'string' || model === '') throw invalid('model: Field required');
  if (messages === undefined) throw invalid('messages: Field required');
  if (!Array.isArray(messages)) throw invalid('messages: Input should be a valid list');
  if (messages.length === 0) throw invalid('messages: at least one message is required');
  if (maxTokens === undefined) throw invalid('max_tokens: Field required');
  if (typeof maxTokens !== 'number' || !Number.isInteger(maxTokens)) {
    throw invalid('max_tokens: Input should be a valid integer');
  }
  if (maxTokens < 0) throw invalid('max_tokens: Input should be greater than or equal to 0');
  for (const [index, message] of messages.entries()) {
    const role = isObject(message) ? message['role'] : undefined;
    if (role === 'user' || role === 'assistant' || (role === 'system' && index > 0)) continue;
    throw invalid(`messages.${index}.role: Input should be 'user' or 'assistant'`);
  }
  const last: unknown = messages.at(-1);
  const lastUser: unknown = messages.findLast(
    (message) => isObject(message) && message['role'] === 'user' && textOf(message['content']) !== '',
  );
  const choice = isObject(toolChoice) ? toolChoice : {};
  return {
    ...PLAIN_ASK,
    model,
    stream: body['stream'] === true,
    maxTokens,
    tools: readTools(body['tools']),
    toolChoice: readToolChoice(choice),
    parallelToolCalls: choice['disable_parallel_tool_use'] !== true,
    thinking: isObject(thinking) && (thinking['type'] === 'enabled' || thinking['type'] === 'adaptive'),
    answersTool: isObject(last) && hasToolResult(last['content']),
    lastUserText: isObject(lastUser) ? textOf(lastUser['content']) : '',
    promptCharacters: messages.reduce(
      (sum: number, message) => sum + (isObject(message) ? textOf(message['content']).length : 0),
      textOf(body['system']).length,
    ),
    format: readFormat(body),
    request: body,
  };
}

function readFormat({ output_config: config, output_format: beta }: Record<string, unknown>): Ask['format'] {
  const format = (isObject(config) ? config['format'] : undefined) ?? beta;
  if (!isObject(format) || format['type'] !== 'json_schema') return undefined;
  if (!isObject(format['schema'])) throw invalid('output_config.format.schema: Field required');
  return { schema: format['schema'] };
}

function hasToolResult(content: unknown): boolean {
  return Array.isArray(content) && content.some((block) => isObject(block) && block['type'] === 'tool_result');
}

function readTools(tools: unknown): ToolOffer[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) =>
    isObject(tool) && typeof tool['name'] === 'string' ? [{ name: tool['name'], schema: tool['input_schema'] }] : [],
  );
}

function readToolChoice({ type, name }: Record<string, unknown>): Ask['toolChoice'] {
  if (type === 'none') return 'none';
  if (type === 'any') return 'required';
  return type === 'tool' && typeof name === 'string' ? { name } : 'auto';
}

function invalid(message: string): Refusal {
  return new Refusal(message, { status: 400, type: 'invalid_request_error' });
}

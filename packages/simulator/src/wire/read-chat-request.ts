import type { Ask, ToolOffer } from '../answer.ts';
import { invalidRequest as invalid, readJsonFormat, readLimit, readTopLogprobs } from './read-openai.ts';
import { isObject, textOf } from './wire.ts';

/**
 * Reads and checks an OpenAI chat completions request as far as the answer depends on it.
 * @throws Refusal in OpenAI's words.
 */
export function readChatRequest(body: unknown): Ask {
  if (!isObject(body)) {
    throw invalid('We could not parse the JSON body of your request. The API expects a JSON payload.');
  }
  const { model, messages, stream_options: streamOptions } = body;
  if (typeof model !== 'string' || model === '') throw invalid('you must provide a model parameter');
  if (messages === undefined) {
    throw invalid("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter');
  }
  if (!Array.isArray(messages)) {
    throw invalid("Invalid type for 'messages': expected an array of objects.", 'messages', 'invalid_type');
  }
  if (messages.length === 0) {
    throw invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    );
  }
  const stream = body['stream'] === true;
  if (isObject(streamOptions) && !stream) {
    throw invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  const options = isObject(streamOptions) ? streamOptions : {};
  const last: unknown = messages.at(-1);
  const lastUser: unknown = messages.findLast((message) => isObject(message) && message['role'] === 'user');
  return {
    model,
    stream,
    includeUsage: options['include_usage'] === true,
    continuousUsage: options['continuous_usage_stats'] === true,
    obfuscation: options['include_obfuscation'] !== false,
    choices: typeof body['n'] === 'number' ? body['n'] : 1,
    maxTokens: readLimit(body, 'max_completion_tokens') ?? readLimit(body, 'max_tokens'),
    tools: readTools(body['tools']),
    toolChoice: readToolChoice(body['tool_choice']),
    parallelToolCalls: body['parallel_tool_calls'] !== false,
    thinking: false,
    format: readFormat(body['response_format']),
    topLogprobs: readLogprobs(body),
    answersTool: isObject(last) && last['role'] === 'tool',
    lastUserText: isObject(lastUser) ? textOf(lastUser['content']) : '',
    promptCharacters: messages.reduce(
      (sum: number, message) => sum + (isObject(message) ? textOf(message['content']).length : 0),
      0,
    ),
    request: body,
  };
}

/** The schema stands a level deeper than in other requests. */
function readFormat(format: unknown): Ask['format'] {
  const wrapped = isObject(format) && isObject(format['json_schema']) ? format['json_schema'] : {};
  return readJsonFormat(
    isObject(format) ? { ...wrapped, type: format['type'] } : undefined,
    'response_format.json_schema',
  );
}

function readLogprobs(body: Record<string, unknown>): number | undefined {
  const top = readTopLogprobs(body);
  if (body['logprobs'] === true) return top ?? 0;
  if (top === undefined) return undefined;
  throw invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs');
}

function readTools(tools: unknown): ToolOffer[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const offer = isObject(tool) ? tool['function'] : undefined;
    if (!isObject(offer) || typeof offer['name'] !== 'string') return [];
    return [{ name: offer['name'], schema: offer['parameters'] }];
  });
}

function readToolChoice(choice: unknown): Ask['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice;
  const wanted = isObject(choice) ? choice['function'] : undefined;
  if (isObject(wanted) && typeof wanted['name'] === 'string') return { name: wanted['name'] };
  return 'auto';
}

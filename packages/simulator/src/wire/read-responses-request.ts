import { PLAIN_ASK, type Ask, type ToolOffer } from '../answer.ts';
import { invalidRequest, missing, readJsonFormat, readLimit, readTopLogprobs } from './read-openai.ts';
import { isObject, textOf, type Refusal } from './wire.ts';

const FEWEST_TOKENS = 16;
const ROLES = ['assistant', 'system', 'developer', 'user'];
const ANSWER_PARTS = ['output_text', 'refusal'];
const QUESTION_PARTS = [
  'input_text',
  'input_image',
  'output_text',
  'refusal',
  'input_file',
  'computer_screenshot',
  'summary_text',
];

type Item = Readonly<Record<string, unknown>>;

/**
 * Reads and checks a request to OpenAI's responses as far as the answer depends on it. Nothing is stored, so no response is
 * ever the previous one of another.
 * @throws Refusal in OpenAI's words.
 */
export function readResponsesRequest(body: unknown): Ask {
  if (!isObject(body)) {
    throw invalidRequest('We could not parse the JSON body of your request. The API expects a JSON payload.');
  }
  const { model, stream, stream_options: streamOptions, text, previous_response_id: previous } = body;
  if (typeof model !== 'string' || model === '') throw missing('model');
  if (typeof previous === 'string') {
    const message = `Previous response with id '${previous}' not found.`;
    throw invalidRequest(message, 'previous_response_id', 'previous_response_not_found');
  }
  const items = readInput(body['input']);
  if (isObject(streamOptions) && stream !== true) {
    throw invalidRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  const include: unknown = body['include'];
  const wantsLogprobs = Array.isArray(include) && include.includes('message.output_text.logprobs');
  const topLogprobs = readTopLogprobs(body);
  const lastUser = items.findLast(({ role, content }) => role === 'user' && textOf(content) !== '');
  return {
    ...PLAIN_ASK,
    model,
    stream: stream === true,
    obfuscation: !isObject(streamOptions) || streamOptions['include_obfuscation'] !== false,
    maxTokens: readLimit(body, 'max_output_tokens', FEWEST_TOKENS),
    tools: readTools(body['tools']),
    toolChoice: readToolChoice(body['tool_choice']),
    parallelToolCalls: body['parallel_tool_calls'] !== false,
    thinking: thinks(body['reasoning']),
    format: readJsonFormat(isObject(text) ? text['format'] : undefined, 'text.format'),
    topLogprobs: wantsLogprobs ? (topLogprobs ?? 0) : undefined,
    answersTool: isOutput(items.at(-1)),
    lastUserText: textOf(lastUser?.['content']),
    promptCharacters: items.reduce(
      (sum, { content, output }) => sum + textOf(content).length + textOf(output).length,
      textOf(body['instructions']).length,
    ),
    request: body,
  };
}

function readInput(input: unknown): Item[] {
  if (input === undefined || input === null) throw missing('input');
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: input }];
  if (!Array.isArray(input)) {
    throw invalidRequest(
      "Invalid type for 'input': expected one of an array of objects or string.",
      'input',
      'invalid_type',
    );
  }
  const items = input.map(readItem);
  checkPairs(items);
  return items;
}

function readItem(item: unknown, index: number): Item {
  const path = `input[${index}]`;
  if (!isObject(item)) throw invalidRequest(`Invalid type for '${path}': expected an object.`, path, 'invalid_type');
  const { type = 'message', role, content } = item;
  if (type !== 'message') return item;
  if (typeof role !== 'string' || !ROLES.includes(role)) throw invalidValue(`${path}.role`, role, ROLES);
  if (content === undefined) throw missing(`${path}.content`);
  const allowed = role === 'assistant' ? ANSWER_PARTS : QUESTION_PARTS;
  for (const [at, part] of (Array.isArray(content) ? content : []).entries()) {
    const partType: unknown = isObject(part) ? part['type'] : undefined;
    if (typeof partType === 'string' && allowed.includes(partType)) continue;
    throw invalidValue(`${path}.content[${at}].type`, partType, allowed);
  }
  return item;
}

/** Calls and their outputs come in pairs. */
function checkPairs(items: readonly Item[]): void {
  const calls = callIdsOf(items, 'function_call');
  const outputs = callIdsOf(items, 'function_call_output');
  const orphan = outputs.find((id) => !calls.includes(id));
  if (orphan !== undefined) {
    throw invalidRequest(`No tool call found for function call output with call_id ${orphan}.`, 'input');
  }
  const open = calls.find((id) => !outputs.includes(id));
  if (open !== undefined) throw invalidRequest(`No tool output found for function call ${open}.`, 'input');
}

function callIdsOf(items: readonly Item[], type: string): string[] {
  return items.flatMap((item) =>
    item['type'] === type && typeof item['call_id'] === 'string' ? [item['call_id']] : [],
  );
}

function isOutput(item: Item | undefined): boolean {
  return typeof item?.['type'] === 'string' && item['type'].endsWith('_call_output');
}

function readTools(tools: unknown): ToolOffer[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown, index) => {
    if (!isObject(tool) || tool['type'] !== 'function') return [];
    if (typeof tool['name'] !== 'string') throw missing(`tools[${index}].name`);
    return [{ name: tool['name'], schema: tool['parameters'] }];
  });
}

function readToolChoice(choice: unknown): Ask['toolChoice'] {
  if (choice === 'none' || choice === 'required') return choice;
  if (!isObject(choice) || choice['type'] !== 'function') return 'auto';
  if (typeof choice['name'] !== 'string') throw missing('tool_choice.name');
  return { name: choice['name'] };
}

function thinks(reasoning: unknown): boolean {
  if (!isObject(reasoning)) return false;
  const { effort, summary } = reasoning;
  return effort !== 'none' && (typeof effort === 'string' || typeof summary === 'string');
}

function invalidValue(path: string, value: unknown, allowed: readonly string[]): Refusal {
  const names = `${allowed
    .slice(0, -1)
    .map((name) => `'${name}'`)
    .join(', ')}, and '${allowed.at(-1)}'`;
  return invalidRequest(
    `Invalid value: ${JSON.stringify(value)?.replaceAll('"', "'")}. Supported values are: ${names}.`,
    path,
    'invalid_value',
  );
}

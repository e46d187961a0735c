import { PLAIN_ASK, type Ask } from '../answer.ts';
import { toBase64, toUnitVector } from '../vector.ts';
import { openaiWire } from './openai.ts';
import { invalidRequest, missing, readLimit } from './read-openai.ts';
import { inVllmWords, vllmWire } from './vllm.ts';
import { CREATED, isObject, type Refusal, type Wire } from './wire.ts';

const DEFAULT_DIMENSIONS = 8;
const MOST_DIMENSIONS = 4_096;
const MOST_INPUTS = 2_048;
/** The simulator counts a token for each 4 characters. */
const CHARACTERS_PER_TOKEN = 4;

type Input = string | readonly number[];

/** OpenAI's embeddings. Source: https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddingsWire: Wire = {
  ...openaiWire,
  route: 'embeddings',
  repeatsRequest: true,
  readRequest: readEmbeddingsRequest,
  writeAnswer: (answer, ask) =>
    JSON.stringify({
      object: 'list',
      data: toData(ask),
      model: ask.model,
      ...(answer.usage && { usage: toUsage(answer.usage.promptTokens) }),
    }),
};

/** vLLM's embeddings: OpenAI's with some members more. */
export const vllmEmbeddingsWire: Wire = {
  ...vllmWire,
  route: 'embeddings',
  repeatsRequest: true,
  readRequest: inVllmWords(readEmbeddingsRequest),
  writeAnswer: (answer, ask) =>
    JSON.stringify({
      id: `embd-sim${answer.id}`,
      object: 'list',
      created: CREATED,
      model: ask.model,
      data: toData(ask),
      ...(answer.usage && {
        usage: { ...toUsage(answer.usage.promptTokens), completion_tokens: 0, prompt_tokens_details: null },
      }),
    }),
};

function readEmbeddingsRequest(body: unknown): Ask {
  if (!isObject(body)) {
    throw invalidRequest('We could not parse the JSON body of your request. The API expects a JSON payload.');
  }
  const { model, encoding_format: encoding = 'float' } = body;
  if (typeof model !== 'string' || model === '') throw invalidRequest('you must provide a model parameter');
  const inputs = toInputs(body['input']);
  if (encoding !== 'float' && encoding !== 'base64') {
    throw invalidRequest(
      "Invalid value for 'encoding_format'. Supported values are: 'float' and 'base64'.",
      'encoding_format',
      'invalid_value',
    );
  }
  const dimensions = readLimit(body, 'dimensions') ?? DEFAULT_DIMENSIONS;
  if (dimensions > MOST_DIMENSIONS) {
    const message = `Invalid 'dimensions': integer above maximum value. Expected a value <= ${MOST_DIMENSIONS}, but got ${dimensions} instead.`;
    throw invalidRequest(message, 'dimensions', 'integer_above_max_value');
  }
  const texts = inputs.filter((input) => typeof input === 'string');
  const tokens = inputs.reduce((sum, input) => sum + (typeof input === 'string' ? 0 : input.length), 0);
  const text = texts.join('\n');
  const textCharacters = texts.reduce((sum, { length }) => sum + length, 0);
  return {
    ...PLAIN_ASK,
    model,
    lastUserText: text,
    promptCharacters: textCharacters + CHARACTERS_PER_TOKEN * tokens,
    request: body,
  };
}

/** One text, one list of tokens, or a list of either. */
function toInputs(input: unknown): Input[] {
  if (input === undefined || input === null) throw missing('input');
  if (typeof input === 'string') return checkInputs([input]);
  if (!Array.isArray(input)) throw wrongInput();
  const list: readonly unknown[] = input;
  if (isTokens(input)) return checkInputs([input]);
  return checkInputs(
    list.map((each) => {
      if (typeof each === 'string' || isTokens(each)) return each;
      throw wrongInput();
    }),
  );
}

function checkInputs(inputs: Input[]): Input[] {
  if (inputs.length === 0 || inputs.length > MOST_INPUTS || inputs.some(({ length }) => length === 0)) {
    throw wrongInput();
  }
  return inputs;
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token));
}

function wrongInput(): Refusal {
  return invalidRequest(
    "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
  );
}

function toData({ request }: Ask): unknown[] {
  const dimensions = readLimit(request, 'dimensions') ?? DEFAULT_DIMENSIONS;
  return toInputs(request['input']).map((input, index) => {
    const vector = toUnitVector(JSON.stringify(input), dimensions);
    const embedding = request['encoding_format'] === 'base64' ? toBase64(vector) : [...vector];
    return { object: 'embedding', index, embedding };
  });
}

function toUsage(promptTokens: number): Record<string, number> {
  return { prompt_tokens: promptTokens, total_tokens: promptTokens };
}

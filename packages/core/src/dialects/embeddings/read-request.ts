import type { ChatRequest, TextPart } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { refuseHostMembers } from '../refuse-host-members.ts';
import { isGiven, RequestReading } from '../request-reading.ts';

const MAX_INPUTS = 2_048;
const MAX_DIMENSIONS = 65_536;
const INPUT_RULE = 'must be a text, a list of texts, a list of tokens or a list of such lists';
/** Texts and numbers, up to very many, and no objects. */
const DATA_MEMBERS: ReadonlySet<string> = new Set(['input']);

/**
 * Reads a caller's JSON. Each input is a text of the one message, so that its length is known; tokens stand there as the
 * JSON they came in, which has more bytes than tokens. Members that are not named here pass as they are.
 * Source: https://platform.openai.com/docs/api-reference/embeddings/create.
 * @throws GatewayError `invalid_request`, `invalid_parameter` or `unknown_parameter`.
 */
export function readRequest(body: JsonObject): ChatRequest {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  refuseHostMembers(body, DATA_MEMBERS);
  const reading = new RequestReading();
  const { input, model, dimensions, encoding_format: encoding, user, stream } = body;
  const id = isGiven(model) ? reading.model(model) : undefined;
  if (id === undefined) {
    throw reading.invalid('model', 'must be the id of a model, since vectors of two models cannot be compared');
  }
  if (isGiven(dimensions)) reading.integer(dimensions, 'dimensions', { min: 1, max: MAX_DIMENSIONS });
  if (isGiven(encoding) && encoding !== 'float' && encoding !== 'base64') {
    throw reading.invalid('encoding_format', "must be 'float' or 'base64'");
  }
  if (isGiven(stream) && stream !== false) throw reading.invalid('stream', 'must be left out: embeddings come whole');
  return {
    source: { dialect: 'embeddings', body },
    model: id,
    messages: [{ role: 'user', content: readInputs(input, reading) }],
    stream: false,
    includeUsage: false,
    choices: 1,
    maxOutputTokens: 0,
    user: isGiven(user) ? reading.user(user, 'user') : undefined,
    losses: reading.losses,
  };
}

function readInputs(input: JsonValue | undefined, reading: RequestReading): readonly TextPart[] {
  if (typeof input === 'string') return [readText(input, 'input', reading)];
  const list = reading.list(input, 'input', INPUT_RULE);
  if (list.length === 0) throw reading.invalid('input', 'must not be empty');
  if (isTokens(list)) return [toPart(list)];
  if (list.length > MAX_INPUTS) throw reading.invalid('input', `must have at most ${MAX_INPUTS} entries`);
  return list.map((entry, index) => {
    const path = `input[${index}]`;
    // All of one kind: providers read a list by its first entry.
    if (typeof entry === 'string' && typeof list[0] === 'string') return readText(entry, path, reading);
    if (isTokens(entry) && Array.isArray(list[0])) return toPart(entry);
    throw Array.isArray(entry) && entry.length === 0
      ? reading.invalid(path, 'must not be empty')
      : reading.invalid('input', INPUT_RULE);
  });
}

function readText(text: string, path: string, reading: RequestReading): TextPart {
  return { type: 'text', text: reading.name(text, path) };
}

function toPart(tokens: readonly JsonValue[]): TextPart {
  return { type: 'text', text: JSON.stringify(tokens) };
}

function isTokens(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(isToken);
}

function isToken(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

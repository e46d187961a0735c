import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError, type ErrorCode, type GatewayErrorOptions } from '../../errors.ts';
import type { ErrorAnswer } from '../dialect.ts';
import { PROMPT_TOO_LONG } from '../prompt-too-long.ts';
import { readRetryAfterMs } from '../retry-after.ts';

/** What the gateway says for each meaning of a provider's error; nothing of the provider's own text is passed on. */
const MESSAGES = {
  context_length_exceeded: PROMPT_TOO_LONG,
  upstream_auth: 'The provider refused the credentials of this gateway.',
  upstream_error: 'The provider reported an error while it answered.',
  upstream_rate_limited: 'The provider is limiting the rate of requests. Try again later.',
  upstream_rejected:
    'The provider refused the request as invalid. Check its parameters against what the model supports.',
  upstream_timeout: 'The provider gave up waiting for the model.',
  upstream_unavailable: 'The provider could not serve the request.',
} satisfies Partial<Record<ErrorCode, string>>;

type Meaning = keyof typeof MESSAGES;

/**
 * The ways in which providers say that a prompt is too long: OpenAI and OpenRouter ("maximum context length"), vLLM
 * ("longer than the maximum model length"), llama.cpp ("exceeds the available context size"), Ollama ("prompt too long"),
 * Anthropic behind a gateway ("prompt is too long"), Gemini ("input token count"), TGI ("`inputs` tokens +"), xAI ("maximum
 * prompt length"), Moonshot ("exceeded model token limit").
 */
const CONTEXT_LENGTH =
  /context[_ ](?:length|window|size)|maximum model length|max_model_len|(?:prompt|input) (?:is )?too long|input token count|`inputs` tokens \+|maximum prompt length|model token limit/i;
const MODEL_NOT_FOUND =
  /model_not_found|invalid_model|deploymentnotfound|model not exist|invalid model\b|\bmodel\b.{0,256}\b(?:does not exist|not found)/i;
const WRONG_KEY = /(?:incorrect|invalid|wrong)[_ ]api[_ ]key/i;
const RATE_LIMIT = /rate[_ -]?limit|too[_ ]many[_ ]requests|insufficient_quota|resource[_ ]exhausted/i;
/**
 * Types and codes of errors without a status that blame the request: the prompt, a picture in it, or what is asked for.
 * Source: https://platform.openai.com/docs/api-reference/responses/object (`error.code`)
 */
const BAD_REQUEST: ReadonlySet<JsonValue> = new Set([
  'invalid_request_error',
  'invalid_prompt',
  'bio_policy',
  'misalignment_policy_violation',
  'invalid_image',
  'invalid_image_format',
  'invalid_base64_image',
  'invalid_image_url',
  'image_too_large',
  'image_too_small',
  'image_parse_error',
  'image_content_policy_violation',
  'invalid_image_mode',
  'image_file_too_large',
  'unsupported_image_media_type',
  'empty_image_file',
  'failed_to_download_image',
  'image_file_not_found',
]);
/** Said of a server, whatever type stands beside it. */
const OVERLOADED = /overloaded|\bbusy\b|try again later/i;
/** Characters of an error that are searched; what it means stands at its beginning. */
const MAX_WORDS = 2_000;
/** Entries of a list of errors that are read; the first ones say it. */
const MAX_COMPLAINTS = 16;
const PLAIN_PATH = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*$/;

/** What a provider's error answer means. */
export function readError({ status, headers, body, request }: ErrorAnswer): GatewayError {
  const said = parseErrorBody(body, request);
  const options = { upstreamStatus: status, retryAfterMs: readRetryAfterMs(headers) };
  const meaning = meaningOf(status, said);
  const param = meaning === 'upstream_rejected' ? plainPath(said.param) : undefined;
  return toGatewayError(meaning, { ...options, param });
}

/**
 * What an error inside a stream, or inside an answer with status 200, means; `error` is the value of the `error` member
 * in whatever form it came.
 */
export function readInlineError(error: JsonValue): GatewayError {
  const upstreamStatus = statusOf(error);
  return toGatewayError(meaningInline(upstreamStatus, describe(error)), { upstreamStatus });
}

function meaningInline(status: number | undefined, said: Description): Meaning {
  if (status === 400 || status === 422) return meaningOf(status, said);
  if (status === 429 || RATE_LIMIT.test(said.words)) return 'upstream_rate_limited';
  const isRefused = said.names.some((name) => BAD_REQUEST.has(name)) && !OVERLOADED.test(said.words);
  if (status === undefined && isRefused) return meaningOf(400, said);
  return CONTEXT_LENGTH.test(said.words) ? 'context_length_exceeded' : 'upstream_error';
}

function meaningOf(status: number, { words, param }: Description): Meaning {
  switch (status) {
    case 401:
    case 403:
      return 'upstream_auth';
    case 429:
      return 'upstream_rate_limited';
    case 408:
    case 504:
      return 'upstream_timeout';
    case 400:
    case 404:
    case 413:
    case 422:
      if (CONTEXT_LENGTH.test(words)) return 'context_length_exceeded';
      // Groq: the request alone is more than the tokens that it grants us in a minute, so waiting does not help.
      if (status === 413 && RATE_LIMIT.test(words)) return 'context_length_exceeded';
      // What is said of another member may quote the caller, who must not make it mean something else.
      if (typeof param === 'string' && param !== 'model') return 'upstream_rejected';
      // Our configuration names a model that this provider does not have; another candidate may be set up right.
      if (status === 404 || MODEL_NOT_FOUND.test(words)) return 'upstream_unavailable';
      // xAI answers 400 to a wrong key.
      return WRONG_KEY.test(words) ? 'upstream_auth' : 'upstream_rejected';
    default:
      return 'upstream_unavailable';
  }
}

function toGatewayError(meaning: Meaning, options: GatewayErrorOptions): GatewayError {
  const { param } = options;
  const message =
    meaning === 'upstream_rejected' && param !== undefined
      ? `The provider refused the request because of ${param}. Change it or leave it out.`
      : MESSAGES[meaning];
  return new GatewayError(meaning, message, options);
}

/** What is known of an error, in strings for searching, and the parameter that it blames. */
interface Description {
  /** Its code and its type. */
  readonly names: readonly string[];
  /** All that it says, names included. */
  readonly words: string;
  readonly param?: JsonValue | undefined;
}

const NOTHING_SAID: Description = { names: [], words: '' };

function parseErrorBody(body: string, request: JsonObject | undefined): Description {
  try {
    const parsed: unknown = JSON.parse(body);
    return describe(isJsonObject(parsed) || typeof parsed === 'string' ? parsed : null, request);
  } catch {
    // A page of HTML or plain text: its status alone counts, since pages quote all sorts of things.
    return NOTHING_SAID;
  }
}

/** Takes the forms apart that were seen: nested, flat, `detail` as text or list, a bare string; codes as text or number. */
function describe(error: JsonValue, request?: JsonObject): Description {
  if (typeof error === 'string') return { names: [], words: error.slice(0, MAX_WORDS) };
  if (!isJsonObject(error)) return NOTHING_SAID;
  const inner = error['error'];
  if (isJsonObject(inner)) return describe(inner, request);
  const names = [error['code'], error['type']].filter(isText);
  const complaints = complaintsOf(error);
  const messages = complaints.map(({ msg }) => msg);
  const words = [...names, error['message'], inner, error['detail'], ...messages].filter(isText).join('\n');
  const [place] = complaints.map(({ loc }) => placeIn(request, loc)).filter(isText);
  return { names, words: words.slice(0, MAX_WORDS), param: error['param'] ?? place };
}

/** What is wrong, as a list of FastAPI's: `loc` says where and `msg` what. Mistral has it inside of its `message`. */
function complaintsOf({ detail, message }: JsonObject): readonly JsonObject[] {
  const list = listOr(isJsonObject(message) ? message['detail'] : detail);
  return list.slice(0, MAX_COMPLAINTS).filter(isJsonObject);
}

/**
 * The path of what FastAPI blames, as far as the request has it: a member that is missing is blamed on what it is missing
 * from, and names of the server's own types, which stand between those of members, end it.
 */
function placeIn(request: JsonObject | undefined, loc: JsonValue | undefined): string | undefined {
  const [root, ...steps] = listOr(loc);
  if (root !== 'body') return undefined;
  let path = '';
  let value: JsonValue | undefined = request;
  for (const step of steps) {
    if (typeof step === 'number' && listOr(value)[step] !== undefined) {
      path += `[${step}]`;
      value = listOr(value)[step];
    } else if (isText(step) && isJsonObject(value) && Object.hasOwn(value, step)) {
      path += path === '' ? step : `.${step}`;
      value = value[step];
    } else break;
  }
  return path === '' ? undefined : path;
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string';
}

function statusOf(error: JsonValue): number | undefined {
  if (!isJsonObject(error)) return undefined;
  for (const value of [error['status_code'], error['code'], error['status']]) {
    const status = Number(value);
    if (value !== null && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

function plainPath(param: JsonValue | undefined): string | undefined {
  return typeof param === 'string' && param.length <= 128 && PLAIN_PATH.test(param) ? param : undefined;
}

import type { ChatRequest } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { readMessages } from './read-request-messages.ts';
import { readTools, readToolChoice } from './read-request-tools.ts';
import { refuseHostMembers } from './refuse-host-members.ts';
import {
  checkBoolean,
  checkInteger,
  checkList,
  checkNumber,
  checkObject,
  checkString,
  hasControlCharacter,
  invalid,
  isEmpty,
  type Given,
  type Range,
} from './request-checks.ts';

const MAX_CHOICES = 8;
const MAX_MODEL_LENGTH = 256;
const MAX_STOPS = 16;
const MAX_STOP_CHARACTERS = 65_536;
const MAX_METADATA_MEMBERS = 64;
/** Far above any model's bound; what is larger is a mistake and would spoil sums made with it. */
const ANSWER_TOKENS: Range = { min: 1, max: 10_000_000 };
const SAFE_INTEGER: Range = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;

/**
 * Reads a caller's JSON. Members without neutral words stay in the body, and their paths are listed as untranslatable;
 * null, and a value that only states the default, means as much as nothing.
 * Source: https://platform.openai.com/docs/api-reference/chat/create.
 * @throws GatewayError `invalid_request`, `invalid_parameter` or `unknown_parameter`.
 */
export function readRequest(body: JsonObject): ChatRequest {
  if (!isJsonObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  refuseHostMembers(body);
  const draft: Draft = { untranslatable: [] };
  for (const path of Object.keys(body)) {
    const value = body[path];
    if (value !== undefined && value !== null) readMember(draft, path, value);
  }
  const { stream = false, includeUsage, choices = 1, maxTokens, maxCompletionTokens, safetyId, ...members } = draft;
  if (includeUsage !== undefined && !stream) throw invalid('stream_options', 'left out unless stream is true');
  if (maxTokens !== undefined && maxCompletionTokens !== undefined && maxTokens !== maxCompletionTokens) {
    throw invalid('max_completion_tokens', 'the same as max_tokens, or one of the two left out');
  }
  return {
    ...members,
    source: { dialect: 'openai', body },
    messages: readMessages(body['messages'], draft.untranslatable),
    stream,
    includeUsage: includeUsage ?? false,
    choices,
    maxOutputTokens: maxCompletionTokens ?? maxTokens,
    user: draft.user ?? safetyId,
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A request whose members are being read. */
interface Draft extends Partial<Writable<Omit<ChatRequest, 'source' | 'messages' | 'maxOutputTokens'>>> {
  untranslatable: string[];
  maxTokens?: number;
  maxCompletionTokens?: number;
  safetyId?: string;
}

function readMember(draft: Draft, path: string, value: JsonValue): void {
  const given: Given = { path, value };
  switch (path) {
    case 'messages':
      return;
    case 'model':
      draft.model = readModel(value);
      return;
    case 'stream':
      draft.stream = checkBoolean(given);
      return;
    case 'stream_options':
      draft.includeUsage = readIncludeUsage(checkObject(given));
      return;
    case 'n':
      draft.choices = checkInteger(given, { min: 1, max: MAX_CHOICES });
      return;
    case 'max_tokens':
      draft.maxTokens = checkInteger(given, ANSWER_TOKENS);
      return;
    case 'max_completion_tokens':
      draft.maxCompletionTokens = checkInteger(given, ANSWER_TOKENS);
      return;
    case 'temperature':
      draft.temperature = checkNumber(given, { min: 0, max: 2 });
      return;
    case 'top_p':
      draft.topP = checkNumber(given, { min: 0, max: 1 });
      return;
    case 'top_k': {
      // vLLM: -1 and 0 switch it off.
      const topK = checkInteger(given, { min: -1, max: SAFE_INTEGER.max });
      if (topK > 0) draft.topK = topK;
      return;
    }
    case 'stop':
      draft.stop = readStop(value);
      return;
    case 'tools':
      draft.tools = readTools(value, draft.untranslatable);
      return;
    case 'tool_choice':
      draft.toolChoice = readToolChoice(value, draft.untranslatable);
      return;
    case 'parallel_tool_calls':
      draft.parallelToolCalls = checkBoolean(given);
      return;
    case 'reasoning_effort': {
      const effort = EFFORTS.find((known) => known === checkString(given));
      if (effort === undefined) draft.untranslatable.push(path);
      else draft.reasoning = { effort };
      return;
    }
    case 'user':
      draft.user = checkPlainText(given);
      return;
    case 'safety_identifier':
      // OpenAI's newer name of `user`.
      draft.safetyId = checkPlainText(given);
      return;
    default:
      checkOther(given);
      if (!saysNothing(path, value)) draft.untranslatable.push(path);
  }
}

/** Checks what is known of the members that have no neutral words. */
function checkOther(given: Given): void {
  switch (given.path) {
    case 'frequency_penalty':
    case 'presence_penalty':
      checkNumber(given, { min: -2, max: 2 });
      break;
    case 'seed':
      checkInteger(given, SAFE_INTEGER);
      break;
    case 'top_logprobs':
      checkInteger(given, { min: 0, max: SAFE_INTEGER.max });
      break;
    case 'logprobs':
    case 'store':
      checkBoolean(given);
      break;
    case 'logit_bias':
      checkObject(given);
      break;
    case 'response_format':
      checkString({ path: 'response_format.type', value: checkObject(given)['type'] });
      break;
    case 'metadata':
      checkMetadata(checkObject(given));
      break;
    default:
  }
}

/** True for a value that only states what would happen without it. */
function saysNothing(path: string, value: JsonValue): boolean {
  switch (path) {
    case 'response_format':
      return isJsonObject(value) && value['type'] === 'text';
    case 'service_tier':
      return value === 'auto' || value === 'default';
    case 'modalities':
      return Array.isArray(value) && value.length === 1 && value[0] === 'text';
    case 'logprobs':
    case 'store':
      return value === false;
    case 'frequency_penalty':
    case 'presence_penalty':
    case 'top_logprobs':
      return value === 0;
    default:
      return isEmpty(value);
  }
}

function readModel(value: JsonValue): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > MAX_MODEL_LENGTH || hasControlCharacter(value)) {
    throw invalid('model', `the id of a model, 1 to ${MAX_MODEL_LENGTH} printable characters, or left out`);
  }
  return value === '*' || value === 'auto' ? undefined : value;
}

function readIncludeUsage({ include_usage: value }: JsonObject): boolean {
  if (value === undefined || value === null) return false;
  return checkBoolean({ path: 'stream_options.include_usage', value });
}

function readStop(value: JsonValue): string[] {
  const stops = typeof value === 'string' ? [value] : checkList({ path: 'stop', value });
  if (stops.length > MAX_STOPS) throw invalid('stop', `at most ${MAX_STOPS} strings`);
  const texts = stops.map((stop, i) => checkString({ path: `stop[${i}]`, value: stop }));
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_STOP_CHARACTERS) {
    throw invalid('stop', `at most ${MAX_STOP_CHARACTERS} characters in all`);
  }
  return texts;
}

function checkPlainText(given: Given): string {
  const text = checkString(given);
  if (hasControlCharacter(text)) throw invalid(given.path, 'a string without control characters');
  return text;
}

function checkMetadata(metadata: JsonObject): void {
  const names = Object.keys(metadata);
  if (names.length > MAX_METADATA_MEMBERS) throw invalid('metadata', `at most ${MAX_METADATA_MEMBERS} members`);
  for (const name of names) {
    if (hasControlCharacter(name)) throw invalid('metadata', 'an object whose names have no control characters');
    checkPlainText({ path: `metadata.${name}`, value: metadata[name] });
  }
}

import type {
  CacheMark,
  ContentPart,
  Loss,
  MediaSource,
  ResponseFormat,
  TextPart,
  ToolChoice,
} from '../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../chat/json.ts';
import { GatewayError } from '../errors.ts';
import { mediaSourceOf } from './media-source.ts';

type Given = JsonValue | undefined;

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Far above any model's bound on its answer; what is larger is a mistake and would spoil sums made with it. */
export const MAX_TOKENS = 10_000_000;
export const MAX_MESSAGES = 10_000;
const MAX_MODEL_LENGTH = 256;
const MAX_NAME_LENGTH = 256;

/** The checks of one request's members, and the list of those for which there are no neutral words. */
export class RequestReading {
  readonly losses: Loss[] = [];

  /** `rule` completes "`path` …". */
  invalid(path: string, rule: string): GatewayError {
    return new GatewayError('invalid_parameter', `${path} ${rule}.`, { param: path });
  }

  /** A member for which there are no neutral words. `rule` completes "`path` …" and says what would be right. */
  lose(path: string, rule?: string): void {
    this.losses.push({ path, ...(rule !== undefined && { rule }) });
  }

  /** A member without neutral words that makes no difference to the answer. */
  hint(path: string): void {
    this.losses.push({ path, isHint: true });
  }

  /** The members of an object for which there are no neutral words. One that only states its default says nothing. */
  rest(members: JsonObject, path: string, defaults: JsonObject = {}): void {
    for (const name of namesOfRest(members, defaults)) this.lose(`${path}.${name}`);
  }

  /**
   * The same for what the model said and the caller gives back as its provider and its library have put it: nothing of it is
   * a wish of the caller's. `parsed` and `parsed_arguments` are additions of OpenAI's library.
   */
  restOfAnswer(members: JsonObject, path: string, defaults: JsonObject = {}): void {
    const { parsed: _, parsed_arguments: _arguments, ...rest } = members;
    this.hints(rest, path, defaults);
  }

  /** The same for an object whose members make no difference to the answer. */
  hints(members: JsonObject, path: string, defaults: JsonObject = {}): void {
    for (const name of namesOfRest(members, defaults)) this.hint(`${path}.${name}`);
  }

  text(value: Given, path: string, rule = 'must be a string'): string {
    if (typeof value !== 'string') throw this.invalid(path, rule);
    return value;
  }

  /** A text that names something: not empty. */
  name(value: Given, path: string): string {
    if (typeof value !== 'string' || value === '') throw this.invalid(path, 'must be a string that is not empty');
    return value;
  }

  boolean(value: Given, path: string): boolean {
    if (typeof value !== 'boolean') throw this.invalid(path, 'must be true or false');
    return value;
  }

  number(value: Given, path: string, { min, max }: Range): number {
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      throw this.invalid(path, `must be a number from ${min} to ${max}`);
    }
    return value;
  }

  integer(value: Given, path: string, { min, max }: Range): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw this.invalid(path, `must be a whole number from ${min} to ${max}`);
    }
    return value;
  }

  list(value: Given, path: string, rule = 'must be a list'): readonly JsonValue[] {
    if (!Array.isArray(value)) throw this.invalid(path, rule);
    return value;
  }

  object(value: Given, path: string): JsonObject {
    if (!isJsonObject(value)) throw this.invalid(path, 'must be an object');
    return value;
  }

  /** The texts of content that may hold nothing else; what else there is is lost. */
  textsOf(parts: readonly ContentPart[]): TextPart[] {
    return parts.filter((part) => {
      if (part.type === 'image' || part.type === 'document') this.lose(part.path);
      return part.type === 'text';
    });
  }

  /** No call can be demanded where there are no tools of any kind; `tools` is as the caller has them. */
  checkToolChoice(choice: ToolChoice | undefined, tools: Given): void {
    const isDemand = choice?.type === 'required' || choice?.type === 'tool';
    if (isDemand && isEmpty(tools))
      throw this.invalid('tool_choice', 'must be auto, none or left out: there are no tools');
  }

  /** The address of an image or document, or its bytes in a data URL. */
  mediaSource(value: Given, path: string): MediaSource {
    const source = mediaSourceOf(this.name(value, path));
    if (source === undefined) throw this.invalid(path, 'must be an address or a data URL in base64');
    return source;
  }

  /** The id of a model; `undefined` where any may serve. */
  model(value: JsonValue): string | undefined {
    if (typeof value !== 'string' || value.length > MAX_MODEL_LENGTH || !/^[\x20-\x7e]+$/.test(value)) {
      throw this.invalid('model', `must be the id of a model: 1 to ${MAX_MODEL_LENGTH} printable ASCII characters`);
    }
    return value === '*' || value === 'auto' ? undefined : value;
  }

  /** A name of the caller's own user. */
  user(value: JsonValue, path: string): string {
    const text = this.text(value, path);
    if (text.length > MAX_NAME_LENGTH || hasControlCharacter(text)) {
      throw this.invalid(path, `must be at most ${MAX_NAME_LENGTH} characters without control characters`);
    }
    return text;
  }

  /** OpenAI's `metadata`: up to 64 names with texts. */
  metadata(value: JsonValue): JsonObject {
    const metadata = this.object(value, 'metadata');
    const names = Object.keys(metadata);
    if (names.length > 64) throw this.invalid('metadata', 'must have at most 64 members');
    for (const name of names) {
      if (hasControlCharacter(name)) throw this.invalid('metadata', 'must have names without control characters');
      const path = `metadata.${name}`;
      if (hasControlCharacter(this.text(metadata[name], path)))
        throw this.invalid(path, 'must be a string without control characters');
    }
    return metadata;
  }

  /**
   * Anthropic's `cache_control`, which others of its family take too; `path` is that of the mark. What there is in it besides
   * is a hint, as the mark is.
   */
  cacheMark(value: Given, path: string): CacheMark | undefined {
    if (!isGiven(value)) return undefined;
    const { type, ttl, ...rest } = this.object(value, path);
    if (type !== 'ephemeral') throw this.invalid(`${path}.type`, "must be 'ephemeral'");
    this.hints(rest, path);
    if (!isGiven(ttl)) return { path };
    if (ttl !== '5m' && ttl !== '1h') throw this.invalid(`${path}.ttl`, "must be '5m' or '1h'");
    return { ttl, path };
  }

  /** OpenAI's `json_schema`, whose members stand in an object of their own or beside the type, by the API. */
  jsonSchema(value: JsonObject, path: string): ResponseFormat {
    const { name, description, schema, strict, ...rest } = value;
    this.rest(rest, path);
    return {
      type: 'json-schema',
      name: this.name(name, `${path}.name`),
      ...(isGiven(description) && { description: this.text(description, `${path}.description`) }),
      schema: isGiven(schema) ? this.object(schema, `${path}.schema`) : {},
      ...(isGiven(strict) && { strict: this.boolean(strict, `${path}.strict`) }),
    };
  }
}

export function isGiven(value: Given): value is JsonValue {
  return value !== undefined && value !== null;
}

/** True for a member that says nothing: absent, null, or an empty list or object, as client libraries send them. */
export function isEmpty(value: Given): boolean {
  if (!isGiven(value)) return true;
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0;
}

function namesOfRest(members: JsonObject, defaults: JsonObject): string[] {
  return Object.keys(members).filter((name) => !isEmpty(members[name]) && !isEqual(members[name], defaults[name]));
}

function isEqual(value: Given, fallback: Given): boolean {
  return fallback !== undefined && JSON.stringify(value) === JSON.stringify(fallback);
}

export function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';

/** A member of the request with its path, as in `messages[0].role`. */
export interface Given {
  readonly path: string;
  readonly value: JsonValue | undefined;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** `rule` completes "`path` must be". */
export function invalid(path: string, rule: string): GatewayError {
  return new GatewayError('invalid_parameter', `${path} must be ${rule}.`, { param: path });
}

export function checkString({ path, value }: Given, rule = 'a string'): string {
  if (typeof value !== 'string') throw invalid(path, rule);
  return value;
}

/** A string that names something: not empty. */
export function checkName({ path, value }: Given): string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'a string that is not empty');
  return value;
}

export function checkBoolean({ path, value }: Given): boolean {
  if (typeof value !== 'boolean') throw invalid(path, 'true or false');
  return value;
}

export function checkNumber({ path, value }: Given, { min, max }: Range): number {
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw invalid(path, `a number from ${min} to ${max}`);
  return value;
}

export function checkInteger({ path, value }: Given, { min, max }: Range): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(path, `a whole number from ${min} to ${max}`);
  }
  return value;
}

export function checkObject({ path, value }: Given): JsonObject {
  if (!isJsonObject(value)) throw invalid(path, 'an object');
  return value;
}

export function checkList({ path, value }: Given): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalid(path, 'a list');
  return value;
}

/** True for a member that says nothing: absent, null, or an empty list or object, as client libraries send them. */
export function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

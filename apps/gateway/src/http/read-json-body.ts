import { isUtf8 } from 'node:buffer';
import { GatewayError, isJsonObject, type JsonObject } from '@tokenhub/core';

/** Deepest nesting of a request body; deeper ones could exhaust the stack of whoever handles them next. */
const MAX_DEPTH = 64;

/**
 * Reads a request body strictly: what is accepted means the same to us and to every provider it may be sent on to.
 * Of repeated members the last counts; a byte order mark is skipped.
 * @throws GatewayError `invalid_utf8`, `invalid_json`, `json_too_deep`, `invalid_parameter` (a number that no double holds), `invalid_request`.
 */
export function readJsonBody(body: unknown): JsonObject {
  // A request without a body has none here either.
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  if (!isUtf8(bytes))
    throw new GatewayError('invalid_utf8', 'The body is not valid UTF-8. Send JSON encoded as UTF-8.');
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = bytes.toString('utf8', hasMark ? 3 : 0);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the body, which may hold a prompt.
    throw new GatewayError(
      'invalid_json',
      text.trim() === '' ? 'The body is empty. Send a JSON object.' : 'The body is not valid JSON.',
    );
  }
  check(value, '', 1);
  if (!isJsonObject(value)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  return value;
}

function check(value: unknown, path: string, depth: number): void {
  if (typeof value === 'number') return checkNumber(value, path);
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw new GatewayError('json_too_deep', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      // Most arrays hold objects or texts; only what can fail pays for its path.
      if (typeof item === 'object' || typeof item === 'number') check(item, `${path}[${index}]`, depth + 1);
    }
    return;
  }
  const members: [string, unknown][] = Object.entries(value);
  for (const [name, member] of members) {
    if (
      name === '__proto__' ||
      (name === 'constructor' && isJsonObject(member) && Object.hasOwn(member, 'prototype'))
    ) {
      throw new GatewayError('invalid_json', `The member "${name}" is not allowed.`);
    }
    if (typeof member === 'object' || typeof member === 'number')
      check(member, path === '' ? name : `${path}.${name}`, depth + 1);
  }
}

function checkNumber(value: number, path: string): void {
  if (Number.isFinite(value) && (!Number.isInteger(value) || Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return;
  const param = path === '' ? undefined : path;
  throw new GatewayError(
    'invalid_parameter',
    `${path === '' ? 'A number' : `"${path}"`} is too large to be kept exactly.`,
    { param },
  );
}

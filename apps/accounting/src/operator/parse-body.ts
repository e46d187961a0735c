import { describeIssue, keyRightsSchema, type KeyRightsFile } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { z } from 'zod';

/** What a change may say of a key: `null` takes a field back to what holds when it is not given. */
export type KeyChange = { readonly [Field in keyof Omit<KeyRightsFile, 'id'>]: KeyRightsFile[Field] | null };

/** The body of a new key. @throws GatewayError `invalid_request`, `invalid_parameter` or `unknown_parameter` with the field's path. */
export function parseNewKey(body: unknown): KeyRightsFile {
  return parse(keyRightsSchema, toFields(body));
}

/** The body of a change. @throws GatewayError as `parseNewKey` */
export function parseKeyChange(body: unknown): KeyChange {
  const fields = toFields(body);
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const taken = Object.keys(fields).filter((field) => fields[field] === null);
  for (const field of taken) if (!Object.hasOwn(changeSchema.shape, field)) throw unknownField(field);
  return { ...parse(changeSchema, given), ...Object.fromEntries(taken.map((field) => [field, null])) };
}

const changeSchema = keyRightsSchema.omit({ id: true });

function toFields(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new GatewayError('invalid_request', 'The body must be a JSON object with the fields of a key.');
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body, { error: describeIssue });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') throw unknownField([...path, ...issue.keys.slice(0, 1)].join('.'));
  const param = path.join('.');
  const message = issue === undefined || issue.code === 'invalid_union' ? 'is not valid' : issue.message;
  throw new GatewayError('invalid_parameter', `${param} ${message}.`, { param });
}

function unknownField(param: string): GatewayError {
  return new GatewayError('unknown_parameter', `${param} is no field of a key, or none that can be set here.`, {
    param,
  });
}

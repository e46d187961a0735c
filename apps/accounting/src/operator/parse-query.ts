import { GatewayError } from '@tokenhub/core';
import { z } from 'zod';

/**
 * Checks the query of a request.
 * @throws GatewayError `invalid_parameter` or `unknown_parameter`, both with the parameter's name.
 */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const [param = ''] = issue.keys;
    throw new GatewayError('unknown_parameter', `${param} is no parameter of this address.`, { param });
  }
  const param = String(issue?.path[0] ?? '');
  throw new GatewayError('invalid_parameter', `${param} ${issue?.message ?? 'is not valid'}.`, { param });
}

/** A text that is given once and is not empty. */
export const name = z
  .string('must be given once')
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters');

/** A whole number from 1 to 500, 100 when it is not given. */
export const limit = z
  .string('must be given once')
  .regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/, 'must be a whole number from 1 to 500')
  .transform(Number)
  .default(100);

/** A day as answers write it, `yyyymmdd`, as a date. */
const day = z
  .string()
  .transform((text) => text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'))
  .pipe(z.iso.date());

/** A day, which begins at midnight UTC, or an RFC 3339 time; in milliseconds since 1970. */
export const time = z
  .union(
    [day, z.iso.datetime({ offset: true })],
    'must be a day such as 2026-11-20 or 20261120, or a time such as 2026-11-20T12:00:00Z',
  )
  .transform((text) => Date.parse(text));

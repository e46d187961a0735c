import { describeIssue, formatPath, keyRightsSchema, type KeyRightsFile } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import { z } from 'zod';

/** What a change may say of a key, and of each of its limits: `null` takes a field back to what holds when it is not given. */
export type KeyChange = z.infer<typeof changeSchema>;

/**
 * The body of a new key.
 * @throws GatewayError `invalid_request`, `invalid_parameter` or `unknown_parameter` with all that is wrong and the path of the first
 */
export function parseNewKey(body: unknown): KeyRightsFile {
  return parse(keyRightsSchema, body);
}

/** The body of a change. @throws GatewayError as `parseNewKey` */
export function parseKeyChange(body: unknown): KeyChange {
  return parse(changeSchema, body);
}

const { id: _, limits, ...changeable } = keyRightsSchema.shape;
const changeSchema = z.strictObject(
  orNull({ ...changeable, limits: z.strictObject(orNull(limits.unwrap().shape)).optional() }),
);

/** The same fields, each of which may also be null. */
function orNull<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const fields = Object.entries(shape).map(([name, field]) => [name, z.nullable(field)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the compiler cannot see of a map
  return Object.fromEntries(fields) as { [Field in keyof Shape]: z.ZodNullable<Shape[Field]> };
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new GatewayError('invalid_request', 'The body must be a JSON object with the fields of a key.');
  const result = schema.safeParse(body, { error: describeIssue });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(toProblems);
  const { code = 'invalid_parameter', param = '' } = problems[0] ?? {};
  throw new GatewayError(code, problems.map(({ param: path, fault }) => `${path} ${fault}.`).join(' '), { param });
}

interface Problem {
  readonly code: 'invalid_parameter' | 'unknown_parameter';
  readonly param: string;
  /** Reads on after the path. */
  readonly fault: string;
}

function toProblems(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const fault = 'is no field of a key, or none that can be set here';
    return issue.keys.map((key) => ({ code: 'unknown_parameter', param: formatPath([...issue.path, key]), fault }));
  }
  const fault = issue.code === 'invalid_union' ? 'is not valid' : issue.message;
  return [{ code: 'invalid_parameter', param: formatPath(issue.path), fault }];
}

import type { z } from 'zod';
import type { Path } from './config-document.ts';
import { knownFields } from './known-fields.ts';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
};

/** What is wrong and what would be right, as the rest of a sentence that begins with the field's path. */
export function describeIssue(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${KINDS[issue.expected] ?? issue.expected}, is ${describeValue(issue.input, issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'array'
        ? 'must have at least one entry'
        : `must be at least ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `must be at most ${amount(issue.maximum, issue.origin)}`;
    default:
      return undefined;
  }
}

/** An issue of zod as what there is to tell: one line per unknown field, and of a union the alternative that was meant. */
export function toPathsAndMessages(issue: z.core.$ZodIssue): [Path, string][] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => [
        [...issue.path, key],
        `is not a known field; known here: ${knownFields(issue.path).join(', ')}`,
      ]);
    case 'invalid_key':
      return [[issue.path, `has a name that ${issue.issues[0]?.message ?? 'is not allowed'}`]];
    case 'invalid_union': {
      const meant = issue.errors.find((issues) =>
        issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
      );
      if (meant === undefined) return [[issue.path, 'must be one of the forms that the documentation shows']];
      return meant.flatMap((inner) => toPathsAndMessages({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    default:
      return [[issue.path, issue.message]];
  }
}

function amount(limit: number | bigint, origin: string): string {
  return origin === 'string' ? `${limit} characters long` : String(limit);
}

function describeValue(value: unknown, expected: string): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of fields';
  if (expected === 'string') return `a ${typeof value} (put it in quotes)`;
  if (expected === 'int' && typeof value === 'number') return 'a fraction';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

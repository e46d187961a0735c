import { expect, test } from 'vitest';
import { configJsonSchema } from './config-schema.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** All named fields of the schema, with their paths. */
function fieldsOf(schema: Schema, path = ''): [string, Schema][] {
  const inner = [schema.items, ...(schema.anyOf ?? []), schema.additionalProperties].flatMap((part) =>
    typeof part === 'object' ? fieldsOf(part, `${path}[]`) : [],
  );
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, field]): [string, Schema][] => {
    const fieldPath = `${path}.${name}`;
    return [[fieldPath, field], ...fieldsOf(field, fieldPath)];
  });
  return [...named, ...inner];
}

const fields = new Map(fieldsOf(configJsonSchema()));

test('an editor can explain every field', () => {
  expect(fields.size).toBeGreaterThan(40);
  const unexplained = [...fields].filter(([, { description }]) => description === undefined).map(([path]) => path);
  expect(unexplained).toEqual([]);
});

test('an editor knows types, bounds and defaults, also where a variable may stand', () => {
  expect(fields.get('.models[].weight')).toMatchObject({ type: 'number', minimum: 0, maximum: 10, default: 5 });
  expect(fields.get('.providers[].allow_private')).toMatchObject({ type: 'boolean', default: false });
  expect(fields.get('.routing.mode')).toMatchObject({ enum: expect.arrayContaining(['cheap', 'normal']) });
  expect(configJsonSchema()).toMatchObject({ required: ['providers', 'models'], additionalProperties: false });
});

import { isObject } from './wire/wire.ts';

/** Arguments that fit a tool's JSON Schema well enough for a demonstration: each property with a plain value of its type. */
export function exampleArguments(schema: unknown): unknown {
  if (!isObject(schema)) return {};
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'string':
      return 'simulated';
    case 'number':
    case 'integer':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'null':
      return null;
    default: {
      const properties = isObject(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, exampleArguments(value)]));
    }
  }
}

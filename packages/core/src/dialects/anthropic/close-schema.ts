import { isJsonObject, listOr, type JsonObject, type JsonValue } from '../../chat/json.ts';

/** Members of a schema that hold a schema or a list of them, and those that hold one for each name. */
const SCHEMAS = ['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf', 'not'];
const NAMED_SCHEMAS = ['properties', '$defs', 'definitions'];

/**
 * A JSON schema in which objects have only the members that it names: Anthropic wants that said, OpenAI does not unless the
 * schema is strict. What is said of other members stays as it is.
 * Source: `lib/transform-json-schema.ts` of https://github.com/anthropics/anthropic-sdk-typescript
 */
export function closeSchema(schema: JsonObject): JsonObject {
  const closed: Record<string, JsonValue | undefined> = { ...schema };
  for (const name of SCHEMAS) {
    const value = schema[name];
    if (value !== undefined) closed[name] = Array.isArray(value) ? value.map(closeValue) : closeValue(value);
  }
  for (const name of NAMED_SCHEMAS) {
    const value = schema[name];
    if (isJsonObject(value)) closed[name] = closeEach(value);
  }
  if (isOfObjects(schema)) closed['additionalProperties'] ??= false;
  return closed;
}

function closeEach(schemas: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schemas).map(([name, value]) => [name, value && closeValue(value)]));
}

function closeValue(value: JsonValue): JsonValue {
  return isJsonObject(value) ? closeSchema(value) : value;
}

function isOfObjects({ type, properties }: JsonObject): boolean {
  return type === 'object' || listOr(type).includes('object') || properties !== undefined;
}

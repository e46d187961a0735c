import { isObject } from './wire/wire.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Below this depth only what must be there is, so that schemas that contain themselves come to an end. */
const DEEP = 6;
const DEEPEST = 32;

const STRINGS: Readonly<Record<string, string>> = {
  'date-time': '2025-10-09T08:53:20Z',
  date: '2025-10-09',
  time: '08:53:20Z',
  duration: 'PT1S',
  email: 'simulated@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/simulated',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** A value that fits a JSON Schema, with a plain value for each property. `pattern`, `not` and `if` are not heeded. */
export function exampleArguments(schema: unknown): unknown {
  return toExample(schema, { root: schema, depth: 0 });
}

interface Place {
  /** What `$ref` begins at. */
  readonly root: unknown;
  readonly depth: number;
}

function toExample(schema: unknown, place: Place): unknown {
  if (!isObject(schema)) return {};
  if (place.depth > DEEPEST) return null;
  const { root, depth } = place;
  const deeper = { root, depth: depth + 1 };
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (typeof schema['$ref'] === 'string') return toExample(resolve(root, schema['$ref']), deeper);
  const options = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(options)) return toExample(mergeSchemas(schema, pickOption(options, depth)), deeper);
  if (Array.isArray(schema['allOf'])) {
    const parts: unknown[] = schema['allOf'];
    const merged = parts.reduce((sum: Schema, part) => mergeSchemas(sum, follow(root, part)), {
      ...schema,
      allOf: undefined,
    });
    return toExample(merged, deeper);
  }
  const type: unknown = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (type) {
    case 'string':
      return toString(schema);
    case 'number':
    case 'integer':
      return toNumber(schema, type === 'integer');
    case 'boolean':
      return true;
    case 'array':
      return toArray(schema, deeper);
    case 'null':
      return null;
    default:
      return toProperties(schema, deeper);
  }
}

function toString({ format, minLength, maxLength }: Schema): string {
  const text = (typeof format === 'string' ? STRINGS[format] : undefined) ?? 'simulated';
  return text.padEnd(toNumberOr(minLength, 0), '.').slice(0, toNumberOr(maxLength, Infinity));
}

/** 1, or the number next to it that fits. */
function toNumber(schema: Schema, isWhole: boolean): number {
  const step = toNumberOr(schema['multipleOf'], isWhole ? 1 : 0);
  const gap = step || 0.002;
  const least = Math.max(
    toNumberOr(schema['minimum'], -Infinity),
    toNumberOr(schema['exclusiveMinimum'], -Infinity) + gap / 2,
  );
  const most = Math.min(
    toNumberOr(schema['maximum'], Infinity),
    toNumberOr(schema['exclusiveMaximum'], Infinity) - gap / 2,
  );
  const wanted = Math.min(Math.max(1, least), most);
  if (step === 0) return wanted;
  const below = Math.floor(wanted / step) * step;
  return below >= least ? below : below + step;
}

function toArray(schema: Schema, place: Place): unknown[] {
  const { items, prefixItems, minItems, maxItems } = schema;
  const prefix: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : [];
  const usual = isObject(items) && place.depth <= DEEP ? 1 : 0;
  const length = Math.min(Math.max(toNumberOr(minItems, usual), prefix.length), toNumberOr(maxItems, Infinity));
  return Array.from({ length }, (_, index) => toExample(prefix[index] ?? items, place));
}

function toProperties({ properties, required }: Schema, place: Place): Record<string, unknown> {
  const must: readonly unknown[] = Array.isArray(required) ? required : [];
  const entries = Object.entries(isObject(properties) ? properties : {});
  const wanted = place.depth <= DEEP ? entries : entries.filter(([name]) => must.includes(name));
  return Object.fromEntries(wanted.map(([name, value]) => [name, toExample(value, place)]));
}

/** The first, or deep down one that ends there. */
function pickOption(options: readonly unknown[], depth: number): unknown {
  const end = options.find((option) => isObject(option) && option['type'] === 'null');
  return depth > DEEP && end !== undefined ? end : options[0];
}

/** Both at once, without the choice that led from one to the other. */
function mergeSchemas(base: Schema, part: unknown): Schema {
  const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = base;
  if (!isObject(part)) return rest;
  const merged = { ...rest, ...part };
  if (isObject(rest['properties']) && isObject(part['properties'])) {
    merged['properties'] = { ...rest['properties'], ...part['properties'] };
  }
  if (Array.isArray(rest['required']) && Array.isArray(part['required'])) {
    merged['required'] = [...rest['required'], ...part['required']];
  }
  return merged;
}

function follow(root: unknown, schema: unknown): unknown {
  return isObject(schema) && typeof schema['$ref'] === 'string' ? resolve(root, schema['$ref']) : schema;
}

/** What a reference within the schema (`#/$defs/Name`) points at. */
function resolve(root: unknown, reference: string): unknown {
  const names = reference.split('/').slice(1);
  return names.reduce((value: unknown, name) => {
    const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
    return isObject(value) ? value[key] : undefined;
  }, root);
}

function toNumberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

import { isJsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { HOST_MEMBERS } from '../host-members.ts';

/** The members under which JSON Schemas stand, whose property names are the caller's own, by the top-level member they are in. */
const SCHEMAS: ReadonlyMap<string, string> = new Map([
  ['tools', 'parameters'],
  ['functions', 'parameters'],
  ['response_format', 'schema'],
  // vLLM
  ['structured_outputs', 'json'],
]);
/** vLLM: a schema as a whole. */
const SCHEMA_MEMBER = 'guided_json';

/**
 * Refuses a body that names a host anywhere, schemas apart.
 * @throws GatewayError `unknown_parameter`.
 */
export function refuseHostMembers(body: Readonly<Record<string, JsonValue | undefined>>): void {
  for (const name of Object.keys(body)) {
    if (HOST_MEMBERS.has(name)) throw refusal(name);
    const value = body[name];
    if (typeof value === 'object' && name !== SCHEMA_MEMBER) refuseWithin(value, name, SCHEMAS.get(name));
  }
}

function refuseWithin(value: JsonValue, path: string, schemaMember: string | undefined): void {
  if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      if (HOST_MEMBERS.has(name)) throw refusal(`${path}.${name}`);
      const member = value[name];
      if (typeof member === 'object' && name !== schemaMember) refuseWithin(member, `${path}.${name}`, schemaMember);
    }
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const entry: JsonValue = value[i];
      if (typeof entry === 'object') refuseWithin(entry, `${path}[${i}]`, schemaMember);
    }
  }
}

function refusal(param: string): GatewayError {
  return new GatewayError(
    'unknown_parameter',
    `${param} is not a parameter of this API: hosts, credentials and headers of providers come from the configuration alone. Leave it out.`,
    { param },
  );
}

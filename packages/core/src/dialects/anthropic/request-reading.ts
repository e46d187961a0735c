import type { TextPart } from '../../chat/chat-request.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import { GatewayError } from '../../errors.ts';
import { HOST_MEMBERS } from '../host-members.ts';

/** Members that hold the caller's own data or a schema of it, in which any name may occur. */
const DATA_MEMBERS: ReadonlySet<string> = new Set(['input', 'input_schema', 'schema']);

type Given = JsonValue | undefined;

/** The checks of one request's members, and the list of those without neutral words. */
export class RequestReading {
  readonly untranslatable: string[] = [];

  invalid(param: string, rule: string): GatewayError {
    return new GatewayError('invalid_parameter', `${param} ${rule}.`, { param });
  }

  text(value: Given, path: string): string {
    if (typeof value !== 'string') throw this.invalid(path, 'must be a text');
    return value;
  }

  boolean(value: Given, path: string): boolean {
    if (typeof value !== 'boolean') throw this.invalid(path, 'must be true or false');
    return value;
  }

  number(value: Given, path: string, range: { min: number; max: number }): number {
    if (typeof value !== 'number' || !(value >= range.min && value <= range.max)) {
      throw this.invalid(path, `must be a number from ${range.min} to ${range.max}`);
    }
    return value;
  }

  integer(value: Given, path: string, range: { min: number; max: number }): number {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < range.min || value > range.max) {
      throw this.invalid(path, `must be a whole number from ${range.min} to ${range.max}`);
    }
    return value;
  }

  list(value: Given, path: string): readonly JsonValue[] {
    if (!Array.isArray(value)) throw this.invalid(path, 'must be a list');
    return value;
  }

  object(value: Given, path: string): JsonObject {
    if (!isJsonObject(value)) throw this.invalid(path, 'must be an object');
    return value;
  }

  /** A text, or a list of text blocks. Other blocks are noted as untranslatable. */
  textParts(value: Given, path: string): TextPart[] {
    if (typeof value === 'string') return [{ type: 'text', text: value }];
    if (!Array.isArray(value)) throw this.invalid(path, 'must be a text or a list of blocks');
    const parts: TextPart[] = [];
    for (const [i, entry] of (value as readonly JsonValue[]).entries()) {
      const blockPath = `${path}[${i}]`;
      const block = this.object(entry, blockPath);
      if (this.text(block['type'], `${blockPath}.type`) === 'text') parts.push(this.textBlock(block, blockPath));
      else this.opaque(block, blockPath);
    }
    return parts;
  }

  textBlock(block: JsonObject, path: string): TextPart {
    const { type: _, text, ...rest } = block;
    this.rest(rest, path);
    return { type: 'text', text: this.text(text, `${path}.text`) };
  }

  /** The members of an object that no neutral words exist for. */
  rest(members: JsonObject, path: string): void {
    for (const name of Object.keys(members)) {
      const value = members[name];
      if (value !== null && value !== undefined) this.unknown(name, { path: `${path}.${name}`, value });
    }
  }

  /** A member that no neutral words exist for. @throws GatewayError `unknown_parameter` when it, or one inside it, names a host. */
  unknown(name: string, { path, value }: { path: string; value: JsonValue }): void {
    refuseHostMember(name, path);
    this.untranslatable.push(path);
    if (!DATA_MEMBERS.has(name)) refuseHostMembers(value, path);
  }

  /** A whole value that no neutral words exist for. */
  opaque(value: JsonObject, path: string): void {
    this.untranslatable.push(path);
    refuseHostMembers(value, path);
  }
}

function refuseHostMembers(value: JsonValue, path: string): void {
  if (Array.isArray(value)) {
    for (const [i, entry] of (value as readonly JsonValue[]).entries()) refuseHostMembers(entry, `${path}[${i}]`);
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      refuseHostMember(name, `${path}.${name}`);
      if (!DATA_MEMBERS.has(name)) refuseHostMembers(value[name] ?? null, `${path}.${name}`);
    }
  }
}

function refuseHostMember(name: string, path: string): void {
  if (!HOST_MEMBERS.has(name)) return;
  throw new GatewayError(
    'unknown_parameter',
    `${path} is not a parameter: hosts, credentials and headers of providers come from the configuration alone. Leave it out.`,
    {
      param: path,
    },
  );
}

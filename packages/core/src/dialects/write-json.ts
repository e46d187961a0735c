import type { JsonObject, JsonValue } from '../chat/json.ts';

/** An object without its members that are `undefined`. */
export function withoutUndefined(members: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

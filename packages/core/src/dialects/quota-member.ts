import type { JsonObject } from '../chat/json.ts';
import type { GatewayError } from '../errors.ts';

/** The member `quota` of an error's body, of ours and so the same in every dialect; there is none when no limit was reached. */
export function quotaMember({ quota }: GatewayError): JsonObject {
  if (quota === undefined) return {};
  const { resetAt, ...state } = quota;
  return { quota: { ...state, reset_at: new Date(resetAt).toISOString() } };
}

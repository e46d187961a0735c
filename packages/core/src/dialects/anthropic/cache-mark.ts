import type { CacheMark } from '../../chat/chat-request.ts';
import type { JsonObject } from '../../chat/json.ts';

/** Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching */
export function writeCacheMark({ ttl }: CacheMark): JsonObject {
  return { type: 'ephemeral', ...(ttl !== undefined && { ttl }) };
}

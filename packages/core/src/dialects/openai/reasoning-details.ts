import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';

/**
 * OpenAI's format has no place for signed or encrypted reasoning, which Anthropic wants back unchanged in the next turn.
 * OpenRouter's list of `reasoning_details` has become the usual one: clients that do not know it pass over it, those that
 * do send it back. Source: https://openrouter.ai/docs/guides/best-practices/reasoning-tokens.
 */
export type ReasoningDetail =
  | { readonly type: 'text'; readonly text: string; readonly signature: string; readonly index: JsonValue | undefined }
  | { readonly type: 'encrypted'; readonly data: string };

const FORMAT = 'anthropic-claude-v1';

/** The entries of a `reasoning_details` member that we understand. */
export function readReasoningDetails(details: JsonValue | undefined): ReasoningDetail[] {
  if (!Array.isArray(details)) return [];
  const read: ReasoningDetail[] = [];
  for (const detail of details as readonly JsonValue[]) {
    if (!isJsonObject(detail)) continue;
    if (detail['type'] === 'reasoning.text' || detail['type'] === 'reasoning.summary') {
      const text = stringOr(detail['text'] ?? detail['summary']);
      read.push({ type: 'text', text, signature: stringOr(detail['signature']), index: detail['index'] });
    } else if (detail['type'] === 'reasoning.encrypted' && typeof detail['data'] === 'string') {
      read.push({ type: 'encrypted', data: detail['data'] });
    }
  }
  return read;
}

/** One signed piece of reasoning. Inside a stream its text has gone before it as `reasoning_content` and is left out here. */
export function writeSignedReasoning(signature: string, index: number, text?: string): JsonObject {
  return { type: 'reasoning.text', ...(text !== undefined && { text }), signature, format: FORMAT, index };
}

export function writeEncryptedReasoning(data: string, index: number): JsonObject {
  return { type: 'reasoning.encrypted', data, format: FORMAT, index };
}

function stringOr(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

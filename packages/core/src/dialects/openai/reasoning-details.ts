import { isJsonObject, type JsonObject, type JsonValue } from '../../chat/json.ts';
import type { ReasoningOrigin } from '../../chat/stream-part.ts';

/**
 * Chat completions have no place for signed or encrypted reasoning, which Anthropic wants back unchanged in the next turn.
 * OpenRouter's list of `reasoning_details` has become the usual one: clients that do not know it pass over it, those that
 * do send it back. Source: https://openrouter.ai/docs/guides/best-practices/reasoning-tokens.
 */
export type ReasoningDetail = ReasoningOrigin & { readonly index: JsonValue | undefined } & (
    | { readonly type: 'text'; readonly text: string; readonly signature: string }
    | { readonly type: 'encrypted'; readonly data: string }
  );

/** OpenRouter's names of the formats that other dialects have; any other is kept as it stands. */
const ANTHROPIC = 'anthropic-claude-v1';
const OPENAI = 'openai-responses-v1';

/** The entries of a `reasoning_details` member that we understand. */
export function readReasoningDetails(details: JsonValue | undefined): ReasoningDetail[] {
  if (!Array.isArray(details)) return [];
  const read: ReasoningDetail[] = [];
  for (const detail of details as readonly JsonValue[]) {
    if (!isJsonObject(detail)) continue;
    const { type, index, id } = detail;
    const about = { index, ...readFormat(detail), ...(typeof id === 'string' && { id }) };
    if (type === 'reasoning.text' || type === 'reasoning.summary') {
      const text = stringOr(detail['text'] ?? detail['summary']);
      read.push({ type: 'text', text, signature: stringOr(detail['signature']), ...about });
    } else if (type === 'reasoning.encrypted' && typeof detail['data'] === 'string') {
      read.push({ type: 'encrypted', data: detail['data'], ...about });
    }
  }
  return read;
}

function readFormat({ format }: JsonObject): Pick<ReasoningOrigin, 'format'> {
  if (typeof format !== 'string' || format === ANTHROPIC) return {};
  return { format: format === OPENAI ? 'openai' : format };
}

interface Signed extends ReasoningOrigin {
  readonly signature: string;
  /** Absent inside a stream, where the text has gone before it as `reasoning_content`. */
  readonly text?: string | undefined;
}

/** One piece of reasoning. Without a signature it is nobody's. */
export function writeSignedReasoning({ signature, text, ...origin }: Signed, index: number): JsonObject {
  const proof = signature === '' ? {} : { signature, ...writeOrigin(origin) };
  return { type: 'reasoning.text', ...(text !== undefined && { text }), ...proof, index };
}

export function writeEncryptedReasoning(
  { data, ...origin }: ReasoningOrigin & { readonly data: string },
  index: number,
): JsonObject {
  return { type: 'reasoning.encrypted', data, ...writeOrigin(origin), index };
}

function writeOrigin({ format = ANTHROPIC, id }: ReasoningOrigin): JsonObject {
  return { format: format === 'openai' ? OPENAI : format, ...(id !== undefined && { id }) };
}

function stringOr(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

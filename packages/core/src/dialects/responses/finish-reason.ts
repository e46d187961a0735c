import { isJsonObject, listOr, type JsonObject } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';

/** Why a response ended: its status, what it is incomplete for, and whether it calls tools. */
export function readFinishReason({ status, incomplete_details: details, output }: JsonObject): FinishReason {
  if (status === 'incomplete') {
    const reason = isJsonObject(details) ? details['reason'] : undefined;
    const raw = typeof reason === 'string' ? reason : 'incomplete';
    if (raw === 'max_output_tokens') return { unified: 'length', raw };
    return { unified: raw === 'content_filter' ? 'content_filter' : 'other', raw };
  }
  const calls = listOr(output).some((item) => isJsonObject(item) && item['type'] === 'function_call');
  const raw = typeof status === 'string' ? status : 'completed';
  return { unified: calls ? 'tool_calls' : 'stop', raw };
}

/** What a response is incomplete for; `null` when it is complete. */
export function writeIncomplete({ unified }: FinishReason): { readonly reason: string } | null {
  if (unified === 'length') return { reason: 'max_output_tokens' };
  return unified === 'content_filter' ? { reason: 'content_filter' } : null;
}

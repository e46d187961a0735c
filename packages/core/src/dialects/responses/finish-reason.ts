import { isJsonObject, listOr, type JsonObject } from '../../chat/json.ts';
import type { FinishReason } from '../../chat/stream-part.ts';

/**
 * Why a response ended: its status, what it is incomplete for, and whether it calls tools. `hasCalls`: its stream did, which
 * some servers do not repeat at the end.
 */
export function readFinishReason(response: JsonObject, hasCalls = false): FinishReason {
  const { status, incomplete_details: details, output } = response;
  if (status === 'incomplete') {
    const reason = isJsonObject(details) ? details['reason'] : undefined;
    const raw = typeof reason === 'string' ? reason : 'incomplete';
    if (raw === 'max_output_tokens') return { unified: 'length', raw };
    return { unified: raw === 'content_filter' ? 'content_filter' : 'other', raw };
  }
  const calls = hasCalls || listOr(output).some((item) => isJsonObject(item) && item['type'] === 'function_call');
  const raw = typeof status === 'string' ? status : 'completed';
  return { unified: calls ? 'tool_calls' : 'stop', raw };
}

/**
 * What a response is incomplete for; `null` when it is complete. One that ended for a reason nobody knows counts as complete:
 * for one that is not, Codex asks again.
 */
export function writeIncomplete({ unified }: FinishReason): { readonly reason: string } | null {
  switch (unified) {
    case 'stop':
    case 'tool_calls':
    case 'other':
      return null;
    case 'length':
      return { reason: 'max_output_tokens' };
    case 'content_filter':
      return { reason: 'content_filter' };
  }
}

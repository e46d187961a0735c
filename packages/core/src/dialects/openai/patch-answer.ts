import type { Receipt } from '../../cost/receipt.ts';
import { editText } from '../../json/edit-json.ts';
import { parseExactJsonObject } from '../../json/parse-json-object.ts';
import type { Quirks } from '../quirks.ts';
import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { createMessageCompleter } from './complete-messages.ts';
import { findReasonings, repeatReasonings } from './repeat-reasoning.ts';
import { writeUsage } from './usage.ts';

/** The JSON of an answer or a chunk with `usage.cost` set. One that reports no usage gets our own counts. */
export const setUsageCost = createCostSetter(writeUsage);

const patchUsage = createAnswerPatcher(setUsageCost);

/** The same for the text of a complete answer, whose messages are completed where its provider's are not whole. */
export function patchAnswer(answer: string, receipt: Receipt, quirks?: Quirks): string {
  return patchUsage(quirks === undefined ? answer : completeMessages(answer, quirks), receipt);
}

function completeMessages(answer: string, quirks: Quirks): string {
  if (quirks.bareReasoning === true) {
    return editText(answer, (json) => repeatReasonings(json, findReasonings(json, 'message')));
  }
  const completed = createMessageCompleter(quirks)?.complete(parseExactJsonObject(answer) ?? {}, 'message');
  return completed === undefined ? answer : JSON.stringify(completed);
}

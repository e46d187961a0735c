import type { Receipt } from '../../cost/receipt.ts';
import { parseExactJsonObject } from '../../json/parse-json-object.ts';
import type { Quirks } from '../quirks.ts';
import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { ToolCallCompleter } from './complete-tool-calls.ts';
import { writeUsage } from './usage.ts';

/** The JSON of an answer or a chunk with `usage.cost` set. One that reports no usage gets our own counts. */
export const setUsageCost = createCostSetter(writeUsage);

const patchUsage = createAnswerPatcher(setUsageCost);

/** The same for the text of a complete answer, whose tool calls are completed where its provider's are not whole. */
export function patchAnswer(answer: string, receipt: Receipt, quirks?: Quirks): string {
  return patchUsage(quirks?.bareToolCalls === true ? completeToolCalls(answer) : answer, receipt);
}

function completeToolCalls(answer: string): string {
  const completed = new ToolCallCompleter().complete(parseExactJsonObject(answer) ?? {}, 'message');
  return completed === undefined ? answer : JSON.stringify(completed);
}

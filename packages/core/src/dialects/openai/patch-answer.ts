import type { Receipt } from '../../cost/receipt.ts';
import { editTextFrom } from '../../json/edit-json.ts';
import { createCostSetter } from '../usage-cost.ts';
import { writeUsage } from './usage.ts';

/** The answer with `usage.cost` set. An answer that reports no usage gets our own counts. */
export function patchAnswer(answer: string, receipt: Receipt): string {
  return editTextFrom('usage', answer, (json, objectStart) => setUsageCost(json, objectStart, receipt));
}

/** The same for the JSON of a chunk. */
export const setUsageCost = createCostSetter(writeUsage);

import type { Receipt } from '../../cost/receipt.ts';
import { editTextFrom } from '../../json/edit-json.ts';
import { createCostSetter } from '../usage-cost.ts';
import { writeUsage } from './usage.ts';

const setUsageCost = createCostSetter(writeUsage);

/** The answer with `usage.cost` set; the vectors stay byte for byte as they were. */
export function patchAnswer(answer: string, receipt: Receipt): string {
  return editTextFrom('usage', answer, (json, objectStart) => setUsageCost(json, objectStart, receipt));
}

import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { writeUsage } from './usage.ts';

/** The JSON of an answer or a chunk with `usage.cost` set. One that reports no usage gets our own counts. */
export const setUsageCost = createCostSetter(writeUsage);

/** The same for the text of a complete answer. */
export const patchAnswer = createAnswerPatcher(setUsageCost);

import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { writeUsage } from './usage.ts';

/** The answer with `usage.cost` set; the vectors stay byte for byte as they were. */
export const patchAnswer = createAnswerPatcher(createCostSetter(writeUsage));

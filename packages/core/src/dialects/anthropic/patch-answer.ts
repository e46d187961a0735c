import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { toUsageJson } from './usage.ts';

/** The JSON text of an answer with `usage.cost` set; an answer without usage gets ours. Every other byte stays as it was. */
export const patchAnswer = createAnswerPatcher(createCostSetter(toUsageJson));

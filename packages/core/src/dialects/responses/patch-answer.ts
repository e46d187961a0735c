import type { Receipt } from '../../cost/receipt.ts';
import { findMember, skipSpace } from '../../json/scan-json.ts';
import { createAnswerPatcher, createCostSetter } from '../usage-cost.ts';
import { writeUsage } from './usage.ts';

const OPENING_BRACE = 0x7b;
const setUsageCost = createCostSetter(writeUsage);

/** The response with `usage.cost` set. One that reports no usage gets our own counts. */
export const patchAnswer = createAnswerPatcher(setUsageCost);

/** The same for the data of the event that ends a stream, which holds the whole response. */
export function patchEventData(data: Uint8Array, receipt: Receipt): Uint8Array {
  const response = findMember(data, skipSpace(data, 0), 'response');
  return response === undefined || data[response.valueStart] !== OPENING_BRACE
    ? data
    : setUsageCost(data, response.valueStart, receipt);
}

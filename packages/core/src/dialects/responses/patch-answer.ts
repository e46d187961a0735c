import type { Receipt } from '../../cost/receipt.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import { editTextFrom, setMember } from '../../json/edit-json.ts';
import { findMember, skipSpace } from '../../json/scan-json.ts';
import { writeUsage } from './usage.ts';

const OPENING_BRACE = 0x7b;

/** The response with `usage.cost` set. One that reports no usage gets our own counts. */
export function patchAnswer(answer: string, receipt: Receipt): string {
  return editTextFrom('usage', answer, (json, objectStart) => setUsageCost(json, objectStart, receipt));
}

/** The same for the data of the event that ends a stream, which holds the whole response. */
export function patchEventData(data: Uint8Array, receipt: Receipt): Uint8Array {
  const response = findMember(data, skipSpace(data, 0), 'response');
  return response === undefined || data[response.valueStart] !== OPENING_BRACE
    ? data
    : setUsageCost(data, response.valueStart, receipt);
}

function setUsageCost(json: Uint8Array, objectStart: number, receipt: Receipt): Uint8Array {
  const usage = findMember(json, objectStart, 'usage');
  return usage !== undefined && json[usage.valueStart] === OPENING_BRACE
    ? setMember(json, usage.valueStart, { name: 'cost', value: formatUsd(receipt.cost.total) })
    : setMember(json, objectStart, { name: 'usage', value: writeUsage(receipt) });
}

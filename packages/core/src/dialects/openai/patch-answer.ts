import type { Receipt } from '../../cost/receipt.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import { editTextFrom, setMember } from '../../json/edit-json.ts';
import { findMember } from '../../json/scan-json.ts';
import { writeUsage } from './usage.ts';

const OPENING_BRACE = 0x7b;

/** The answer with `usage.cost` set. An answer that reports no usage gets our own counts. */
export function patchAnswer(answer: string, receipt: Receipt): string {
  return editTextFrom('usage', answer, (json, objectStart) => setUsageCost(json, objectStart, receipt));
}

/** The same for the JSON of a chunk. */
export function setUsageCost(json: Uint8Array, objectStart: number, receipt: Receipt): Uint8Array {
  const usage = findMember(json, objectStart, 'usage');
  return usage !== undefined && json[usage.valueStart] === OPENING_BRACE
    ? setMember(json, usage.valueStart, { name: 'cost', value: formatUsd(receipt.cost.total) })
    : setMember(json, objectStart, { name: 'usage', value: writeUsage(receipt) });
}

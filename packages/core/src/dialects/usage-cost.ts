import { formatUsd } from '../cost/format-usd.ts';
import type { Receipt } from '../cost/receipt.ts';
import { editTextFrom, setMember } from '../json/edit-json.ts';
import { findMember } from '../json/scan-json.ts';

const OPENING_BRACE = 0x7b;

/** Edits the bytes of JSON whose object opens at `objectStart`, so that its usage tells the receipt's cost. */
export type CostSetter = (json: Uint8Array, objectStart: number, receipt: Receipt) => Uint8Array;

/** Makes what sets `usage.cost`; JSON that reports no usage gets the one that `writeUsage` writes of our own counts. */
export function createCostSetter(writeUsage: (receipt: Receipt) => string): CostSetter {
  return (json, objectStart, receipt) => {
    const usage = findMember(json, objectStart, 'usage');
    return usage !== undefined && json[usage.valueStart] === OPENING_BRACE
      ? setMember(json, usage.valueStart, { name: 'cost', value: formatUsd(receipt.cost.total) })
      : setMember(json, objectStart, { name: 'usage', value: writeUsage(receipt) });
  };
}

/** Makes the `patchAnswer` of a dialect whose answers have their `usage` outermost: every other byte stays as it was. */
export function createAnswerPatcher(setUsageCost: CostSetter): (answer: string, receipt: Receipt) => string {
  return (answer, receipt) =>
    editTextFrom('usage', answer, (json, objectStart) => setUsageCost(json, objectStart, receipt));
}

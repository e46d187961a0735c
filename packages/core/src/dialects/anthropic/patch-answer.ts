import type { Receipt } from '../../cost/receipt.ts';
import { formatUsd } from '../../cost/format-usd.ts';
import { editTextFrom, setMember } from '../../json/edit-json.ts';
import { findMember } from '../../json/scan-json.ts';
import { toUsageJson } from './usage.ts';

const OPENING_BRACE = 0x7b;

/** The JSON text of an answer with `usage.cost` set; an answer without usage gets ours. Every other byte stays as it was. */
export function patchAnswer(answer: string, receipt: Receipt): string {
  return editTextFrom('usage', answer, (json, objectStart) => {
    const usage = findMember(json, objectStart, 'usage');
    return usage !== undefined && json[usage.valueStart] === OPENING_BRACE
      ? setMember(json, usage.valueStart, { name: 'cost', value: formatUsd(receipt.cost.total) })
      : setMember(json, objectStart, { name: 'usage', value: toUsageJson(receipt) });
  });
}

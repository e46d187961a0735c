import type { UsageGroup } from '@tokenhub/metering';
import { toUsageItem } from './to-item.ts';

const COLUMNS = [
  'group',
  'requests',
  'prompt_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'completion_tokens',
  'reasoning_tokens',
  'cost_usd',
  'costs.input',
  'costs.cached',
  'costs.cache_write',
  'costs.output',
  'costs.reasoning',
  'adjustments_usd',
];

/** The items of usage as CSV by RFC 4180, the names of their members in the first row. */
export function toUsageCsv(groups: readonly UsageGroup[]): string {
  return [COLUMNS, ...groups.map(toCells)].map((cells) => `${cells.map(quote).join(',')}\r\n`).join('');
}

function toCells(usage: UsageGroup): readonly string[] {
  const { group, costs, ...figures } = toUsageItem(usage);
  const members = new Map<string, string | number>([
    ['group', toText(group)],
    ...Object.entries(figures),
    ...Object.entries(costs).map(([kind, amount]) => [`costs.${kind}`, amount] as const),
  ]);
  return COLUMNS.map((column) => String(members.get(column)));
}

/** A name that a spreadsheet would take for a formula is marked as text. Source: https://owasp.org/www-community/attacks/CSV_Injection */
function toText(name: string): string {
  return /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

import type { UsageQuery } from './ledger.ts';

/** The column of `cost_events` that usage is grouped by. */
const GROUP_COLUMNS = {
  day: 'period_day',
  model: 'model',
  provider: 'provider',
  key: 'key_id',
  user: 'user_id',
  team: 'team_id',
  org: 'org_id',
} as const satisfies Record<UsageQuery['groupBy'], string>;

/** What a row adds to the sums. */
const SUMMED = [
  'tokens_in',
  'tokens_cached',
  'tokens_cache_write',
  'tokens_out',
  'tokens_reasoning',
  'delta_nano',
  'input_nano',
  'cached_nano',
  'cache_write_nano',
  'output_nano',
  'reasoning_nano',
];

/**
 * The sums of usage; parameters are the time from which on requests were admitted and the time before which. All rows of a
 * request are in the group that its correction names: its first row may not know who has served it.
 * @param parameter what is in front of a parameter's number
 */
export function usageSql(groupBy: UsageQuery['groupBy'], parameter: '$' | '?'): string {
  const column = GROUP_COLUMNS[groupBy];
  const sums = SUMMED.map((summed) => `sum(entry.${summed}) AS ${summed}`);
  return `
    SELECT coalesce(correction.${column}, entry.${column}, 'unknown') AS name,
      count(*) FILTER (WHERE entry.kind = 'T') AS requests,
      ${sums.join(', ')}
    FROM cost_events AS entry
      LEFT JOIN cost_events AS correction ON correction.request_id = entry.request_id AND correction.kind = 'A'
    WHERE entry.admitted_at >= ${parameter}1 AND entry.admitted_at < ${parameter}2
    GROUP BY name ORDER BY name`;
}

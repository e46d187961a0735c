/** What the two databases write differently. */
interface Variety {
  /** The texts of a parameter that holds a JSON array. */
  readonly textsOf: (parameter: string) => string;
  /** Nano-USD in the JSON of an event, as text. */
  readonly statedNano: (column: string) => string;
  /** What is in front of a parameter's number. */
  readonly parameter: '$' | '?';
}

/** Statements that look over the ledger as a whole; parameters are numbered as their comments list them. */
export interface AuditSql {
  /** Scopes as a JSON array, day, month. */
  readonly rollups: string;
  /** Shard. */
  readonly last: string;
  /** Shard, milliseconds. */
  readonly later: string;
  /** Request ids as a JSON array. */
  readonly origins: string;
  /** Day, limit. */
  readonly rowFlaws: string;
  /** Day, limit: sums of days against their rows. */
  readonly dayFlaws: string;
  /** Month, limit: sums of months against those of their days. */
  readonly monthFlaws: string;
}

const SCOPES = [
  ['key', 'key_id'],
  ['org', 'org_id'],
  ['user', 'user_id'],
  ['team', 'team_id'],
] as const;

function toAuditSql({ textsOf, statedNano, parameter: p }: Variety): AuditSql {
  const rowsOfScope = ([kind, column]: (typeof SCOPES)[number]): string => `
    SELECT '${kind}:' || ${column} AS scope, period_day AS period, delta_nano FROM cost_events
    WHERE period_day >= ${p}1 AND ${column} IS NOT NULL`;
  const compareSums = (rows: string, rollups: string): string => `
    SELECT coalesce(made.scope, kept.scope) AS scope, coalesce(made.period, kept.period) AS period, rows_nano, settled_nano
    FROM (${rows}) AS made FULL JOIN (SELECT * FROM rollups WHERE ${rollups}) AS kept
      ON made.scope = kept.scope AND made.period = kept.period
    WHERE coalesce(rows_nano, 0) <> coalesce(settled_nano, 0)
    LIMIT ${p}2`;
  return {
    rollups: `
      SELECT scope, period, settled_nano FROM rollups
      WHERE scope IN (${textsOf(`${p}1`)}) AND period >= CASE length(period) WHEN 8 THEN ${p}2 ELSE ${p}3 END`,
    last: `
      SELECT stream_id FROM cost_events
      WHERE shard = ${p}1 AND created_at = (SELECT max(created_at) FROM cost_events WHERE shard = ${p}1)`,
    later: `SELECT * FROM cost_events WHERE shard = ${p}1 AND created_at >= ${p}2`,
    origins: `
      SELECT request_id, shard, stream_id FROM cost_events WHERE request_id IN (${textsOf(`${p}1`)}) AND kind = 'T'`,
    rowFlaws: `
      SELECT * FROM (
        SELECT entry.request_id, entry.kind, entry.cost_nano, entry.delta_nano,
          entry.input_nano + entry.cached_nano + entry.cache_write_nano + entry.output_nano + entry.reasoning_nano AS by_kind_nano,
          ${statedNano('entry.event')} AS stated_nano,
          terminal.request_id AS terminal_id, terminal.cost_nano AS terminal_nano
        FROM cost_events AS entry LEFT JOIN cost_events AS terminal
          ON entry.kind <> 'T' AND terminal.request_id = entry.request_id AND terminal.kind = 'T'
        WHERE entry.period_day >= ${p}1
      ) AS entries
      WHERE stated_nano <> CAST(cost_nano AS TEXT)
        OR kind <> 'T' AND terminal_id IS NULL
        OR kind = 'T' AND delta_nano <> cost_nano
        OR kind <> 'R' AND delta_nano <> by_kind_nano
        OR kind = 'A' AND delta_nano <> cost_nano - terminal_nano
      LIMIT ${p}2`,
    dayFlaws: compareSums(
      `SELECT scope, period, sum(delta_nano) AS rows_nano FROM (${SCOPES.map(rowsOfScope).join(' UNION ALL ')}) AS entries
       GROUP BY scope, period`,
      `length(period) = 8 AND period >= ${p}1`,
    ),
    monthFlaws: compareSums(
      `SELECT scope, substr(period, 1, 6) AS period, sum(settled_nano) AS rows_nano FROM rollups
       WHERE length(period) = 8 AND substr(period, 1, 6) >= ${p}1 GROUP BY scope, substr(period, 1, 6)`,
      `length(period) = 6 AND period >= ${p}1`,
    ),
  };
}

export const POSTGRES_AUDIT = toAuditSql({
  textsOf: (parameter) => `SELECT json_array_elements_text(${parameter}::text::json)`,
  // Not by its JSON operators, which refuse an event with a U+0000 in one of its texts
  statedNano: (column) => `substring(${column} from '"costNanoUsd":"([0-9]+)"')`,
  parameter: '$',
});

/** With parameters as SQLite numbers them. */
export const SQLITE_AUDIT = toAuditSql({
  textsOf: (parameter) => `SELECT value FROM json_each(${parameter})`,
  statedNano: (column) => `json_extract(${column}, '$.costNanoUsd')`,
  parameter: '?',
});

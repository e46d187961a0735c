/** What `ledger_schema` holds after {@link POSTGRES_SCHEMA}; a later version adds its steps behind those of this one. */
export const POSTGRES_VERSION = 3;

/**
 * The tables of the SQLite ledger in PostgreSQL's types. One message and so one transaction; may run any number of times,
 * and by any number of processes at once, which the lock puts in a row.
 *
 * Texts are compared byte by byte (`COLLATE "C"`), whatever the database's own order is. `event` and `fields` are JSON
 * kept as text: `jsonb` knows no `\u0000`, which a caller's texts may hold.
 *
 * Whoever makes the tables may do everything with them. For a role that can only add, let the owner's process run once and
 * give the one that accounting then uses no more than
 *
 * ```sql
 * GRANT SELECT, INSERT ON cost_events, attempts, dead_letters, repairs TO tokenhub_accounting;
 * GRANT SELECT, INSERT, UPDATE ON rollups TO tokenhub_accounting;
 * GRANT SELECT ON ledger_schema TO tokenhub_accounting;
 * GRANT USAGE ON SEQUENCE cost_events_seq TO tokenhub_accounting;
 * GRANT SELECT ON cost_events, rollups TO tokenhub_gateway;
 * ```
 */
export const POSTGRES_SCHEMA = `
SELECT pg_advisory_xact_lock(7305808869);

CREATE TABLE IF NOT EXISTS ledger_schema (
  version INTEGER PRIMARY KEY,
  made_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE SEQUENCE IF NOT EXISTS cost_events_seq;
CREATE TABLE IF NOT EXISTS cost_events (
  seq BIGINT PRIMARY KEY,
  request_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('T', 'A', 'R')),
  org_id TEXT COLLATE "C" NOT NULL,
  key_id TEXT COLLATE "C" NOT NULL,
  user_id TEXT COLLATE "C",
  model TEXT COLLATE "C",
  provider TEXT COLLATE "C",
  attempt_count INTEGER NOT NULL,
  period_day TEXT COLLATE "C" NOT NULL,
  period_month TEXT COLLATE "C" NOT NULL,
  tokens_in BIGINT NOT NULL,
  tokens_cached BIGINT NOT NULL,
  tokens_cache_write BIGINT NOT NULL,
  tokens_out BIGINT NOT NULL,
  tokens_reasoning BIGINT NOT NULL,
  cost_nano BIGINT NOT NULL,
  delta_nano BIGINT NOT NULL,
  estimated BOOLEAN NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  price_version TEXT COLLATE "C",
  shard INTEGER NOT NULL,
  stream_id TEXT COLLATE "C" NOT NULL,
  admitted_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  event TEXT NOT NULL,
  UNIQUE (request_id, kind)
);
CREATE INDEX IF NOT EXISTS cost_events_by_key ON cost_events (key_id, seq);
CREATE INDEX IF NOT EXISTS cost_events_by_admission ON cost_events (admitted_at);
CREATE INDEX IF NOT EXISTS cost_events_by_origin ON cost_events (shard, created_at);
CREATE INDEX IF NOT EXISTS cost_events_by_day ON cost_events (period_day);

CREATE TABLE IF NOT EXISTS attempts (
  request_id TEXT COLLATE "C" NOT NULL,
  attempt INTEGER NOT NULL,
  deployment TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  cost_nano BIGINT NOT NULL,
  PRIMARY KEY (request_id, attempt)
);

CREATE TABLE IF NOT EXISTS rollups (
  scope TEXT COLLATE "C" NOT NULL,
  period TEXT COLLATE "C" NOT NULL,
  settled_nano BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  PRIMARY KEY (scope, period)
);

CREATE TABLE IF NOT EXISTS dead_letters (
  shard INTEGER NOT NULL,
  stream_id TEXT COLLATE "C" NOT NULL,
  fields TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (shard, stream_id)
);

CREATE TABLE IF NOT EXISTS repairs (
  made_at BIGINT NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  period TEXT COLLATE "C" NOT NULL,
  delta_nano BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS repairs_by_time ON repairs (made_at);

ALTER TABLE cost_events ADD COLUMN IF NOT EXISTS team_id TEXT COLLATE "C";

-- The parts of delta_nano. Rows of before state no kinds of token: all of theirs is plain input and output.
ALTER TABLE cost_events
  ADD COLUMN IF NOT EXISTS input_nano BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS cached_nano BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS cache_write_nano BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS output_nano BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS reasoning_nano BIGINT NOT NULL DEFAULT 0;
UPDATE cost_events SET
  input_nano = substring(event from '"inputCostNanoUsd":"([0-9]+)"')::bigint - (cost_nano - delta_nano),
  output_nano = substring(event from '"outputCostNanoUsd":"([0-9]+)"')::bigint
WHERE kind <> 'R' AND input_nano + cached_nano + cache_write_nano + output_nano + reasoning_nano <> delta_nano;
UPDATE cost_events SET tokens_in = 0, tokens_cached = 0, tokens_cache_write = 0, tokens_out = 0, tokens_reasoning = 0
WHERE kind = 'R' AND tokens_in + tokens_out > 0;
CREATE INDEX IF NOT EXISTS cost_events_corrections ON cost_events (request_id) WHERE kind = 'A';

INSERT INTO ledger_schema (version) VALUES (${POSTGRES_VERSION}) ON CONFLICT DO NOTHING;
`;

/**
 * All of an append in one statement, and so in one round trip and one transaction that never waits for us.
 *
 * - `$1`: entries as a JSON array, `$2`: dead letters; members are named after the columns.
 * - Rows are numbered in the order they were given, but every table is written in the order of its keys: two writers with
 *   the same rows wait for each other, never in a circle.
 * - Only what was new (`added`) is summed up, as `rollUp` does.
 */
export const POSTGRES_APPEND = `
WITH entries AS MATERIALIZED (
  SELECT nextval('cost_events_seq') AS seq, entry.*
  FROM json_to_recordset($1::text::json) AS entry (
    request_id text, kind text, org_id text, key_id text, user_id text, team_id text, model text, provider text, attempt_count integer,
    period_day text, period_month text, tokens_in bigint, tokens_cached bigint, tokens_cache_write bigint,
    tokens_out bigint, tokens_reasoning bigint, cost_nano bigint, delta_nano bigint, input_nano bigint, cached_nano bigint,
    cache_write_nano bigint, output_nano bigint, reasoning_nano bigint, estimated boolean, outcome text, price_version text, shard integer, stream_id text, admitted_at bigint, created_at bigint, event text, attempts json
  )
),
added AS (
  INSERT INTO cost_events (
    seq, request_id, kind, org_id, key_id, user_id, team_id, model, provider, attempt_count, period_day, period_month,
    tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning,
    cost_nano, delta_nano, input_nano, cached_nano, cache_write_nano, output_nano, reasoning_nano,
    estimated, outcome, price_version, shard, stream_id, admitted_at, created_at, event
  )
  SELECT
    seq, request_id, kind, org_id, key_id, user_id, team_id, model, provider, attempt_count, period_day, period_month,
    tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning,
    cost_nano, delta_nano, input_nano, cached_nano, cache_write_nano, output_nano, reasoning_nano,
    estimated, outcome, price_version, shard, stream_id, admitted_at, created_at, event
  FROM entries ORDER BY request_id, kind, seq
  ON CONFLICT (request_id, kind) DO NOTHING
  RETURNING seq, request_id, kind, org_id, key_id, user_id, team_id, period_day, period_month, delta_nano
),
added_attempts AS (
  INSERT INTO attempts (request_id, attempt, deployment, provider, model, outcome, status, cost_nano)
  SELECT added.request_id, attempt.attempt, attempt.deployment, attempt.provider, attempt.model, attempt.outcome,
    attempt.status, attempt.cost_nano
  FROM added JOIN entries USING (seq) CROSS JOIN LATERAL json_to_recordset(entries.attempts) AS attempt (
    attempt integer, deployment text, provider text, model text, outcome text, status integer, cost_nano bigint
  )
  ORDER BY added.request_id, attempt.attempt
  ON CONFLICT (request_id, attempt) DO NOTHING
),
added_sums AS (
  INSERT INTO rollups (scope, period, settled_nano, requests)
  SELECT scopes.scope, periods.period, sum(delta_nano), count(*) FILTER (WHERE kind = 'T')
  FROM added
  CROSS JOIN LATERAL (VALUES ('key:' || key_id), ('org:' || org_id), ('user:' || user_id), ('team:' || team_id))
    AS scopes (scope)
  CROSS JOIN LATERAL (VALUES (period_day), (period_month)) AS periods (period)
  WHERE scopes.scope IS NOT NULL
  GROUP BY scopes.scope, periods.period ORDER BY scopes.scope, periods.period
  ON CONFLICT (scope, period) DO UPDATE SET
    settled_nano = rollups.settled_nano + excluded.settled_nano, requests = rollups.requests + excluded.requests
),
added_dead_letters AS (
  INSERT INTO dead_letters (shard, stream_id, fields, reason)
  SELECT shard, stream_id, fields, reason
  FROM json_to_recordset($2::text::json) AS letter (shard integer, stream_id text, fields text, reason text)
  ORDER BY shard, stream_id
  ON CONFLICT (shard, stream_id) DO NOTHING
)
SELECT count(*)::integer AS count FROM added`;

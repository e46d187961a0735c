/**
 * Tables of the ledger. Rows of `cost_events` are only ever added; `event` holds all that its gateway stated, the other
 * columns what is asked for. A `T` row exists once per request, which is what makes a repeated entry harmless. `tokens_…`,
 * `delta_nano` and its parts by kind of token are what a row adds to the sums of usage.
 */
export const SQLITE_SCHEMA = `
CREATE TABLE IF NOT EXISTS cost_events (
  seq INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('T', 'A', 'R')),
  org_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  user_id TEXT,
  model TEXT,
  provider TEXT,
  attempt_count INTEGER NOT NULL,
  period_day TEXT NOT NULL,
  period_month TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_cached INTEGER NOT NULL,
  tokens_cache_write INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  tokens_reasoning INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  delta_nano INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  price_version TEXT,
  shard INTEGER NOT NULL,
  stream_id TEXT NOT NULL,
  admitted_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  event TEXT NOT NULL,
  UNIQUE (request_id, kind)
) STRICT;
CREATE INDEX IF NOT EXISTS cost_events_by_key ON cost_events (key_id, seq);
CREATE INDEX IF NOT EXISTS cost_events_by_admission ON cost_events (admitted_at);
CREATE INDEX IF NOT EXISTS cost_events_by_origin ON cost_events (shard, created_at);
CREATE INDEX IF NOT EXISTS cost_events_by_day ON cost_events (period_day);

CREATE TABLE IF NOT EXISTS attempts (
  request_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  deployment TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER,
  cost_nano INTEGER NOT NULL,
  PRIMARY KEY (request_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rollups (
  scope TEXT NOT NULL,
  period TEXT NOT NULL,
  settled_nano INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (scope, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS dead_letters (
  shard INTEGER NOT NULL,
  stream_id TEXT NOT NULL,
  fields TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (shard, stream_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS repairs (
  made_at INTEGER NOT NULL,
  scope TEXT NOT NULL,
  period TEXT NOT NULL,
  delta_nano INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS repairs_by_time ON repairs (made_at);
`;

/**
 * What later versions have changed of {@link SQLITE_SCHEMA}, in order. How many of these a file has gone through is its
 * `user_version`; each is run once.
 */
export const SQLITE_STEPS: readonly string[] = [
  'ALTER TABLE cost_events ADD COLUMN team_id TEXT',
  // The parts of delta_nano. Rows that are there state no kinds of token: all of theirs is plain input and output.
  `
ALTER TABLE cost_events ADD COLUMN input_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cost_events ADD COLUMN cached_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cost_events ADD COLUMN cache_write_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cost_events ADD COLUMN output_nano INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cost_events ADD COLUMN reasoning_nano INTEGER NOT NULL DEFAULT 0;
UPDATE cost_events SET
  input_nano = CAST(event ->> '$.inputCostNanoUsd' AS INTEGER) - (cost_nano - delta_nano),
  output_nano = CAST(event ->> '$.outputCostNanoUsd' AS INTEGER)
WHERE kind <> 'R';
UPDATE cost_events SET tokens_in = 0, tokens_cached = 0, tokens_cache_write = 0, tokens_out = 0, tokens_reasoning = 0
WHERE kind = 'R';`,
];

export const INSERT_EVENT = `
INSERT INTO cost_events (
  request_id, kind, org_id, key_id, user_id, team_id, model, provider, attempt_count, period_day, period_month,
  tokens_in, tokens_cached, tokens_cache_write, tokens_out, tokens_reasoning,
  cost_nano, delta_nano, input_nano, cached_nano, cache_write_nano, output_nano, reasoning_nano,
  estimated, outcome, price_version, shard, stream_id, admitted_at, created_at, event
) VALUES (
  :requestId, :kind, :org, :key, :user, :team, :model, :provider, :attemptCount, :day, :month,
  :tokensIn, :tokensCached, :tokensCacheWrite, :tokensOut, :tokensReasoning,
  :cost, :delta, :input, :cached, :cacheWrite, :output, :reasoning,
  :estimated, :outcome, :priceVersion, :shard, :streamId, :admittedAt, :createdAt, :event
) ON CONFLICT DO NOTHING RETURNING seq`;

export const INSERT_ATTEMPT = `
INSERT INTO attempts (request_id, attempt, deployment, provider, model, outcome, status, cost_nano)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

export const ADD_TO_ROLLUP = `
INSERT INTO rollups (scope, period, settled_nano, requests) VALUES (?, ?, ?, ?)
ON CONFLICT (scope, period) DO UPDATE SET
  settled_nano = settled_nano + excluded.settled_nano, requests = requests + excluded.requests`;

export const INSERT_DEAD_LETTER = `
INSERT INTO dead_letters (shard, stream_id, fields, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`;

export const INSERT_REPAIR = 'INSERT INTO repairs (made_at, scope, period, delta_nano) VALUES (?, ?, ?, ?)';

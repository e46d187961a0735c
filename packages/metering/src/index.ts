export { OUTCOMES, type Admission, type AttemptRecord, type CostEvent, type Outcome } from './cost-event.ts';
export { decodeCostEvent, encodeCostEvent } from './cost-event-codec.ts';
export type {
  DeadLetter,
  EntryKind,
  Ledger,
  FlawQuery,
  LedgerEntry,
  LedgerFlaw,
  LedgerOptions,
  LedgerQuery,
  LedgerSums,
  Origin,
  PeriodSum,
  Repair,
  SumsQuery,
  UsageGroup,
  UsageQuery,
} from './ledger/ledger.ts';
export { isLedgerRefusal, LedgerRefusal } from './ledger/ledger-refusal.ts';
export { openLedger, parseDatabaseUrl, type DatabaseAddress } from './ledger/open-ledger.ts';
export { scopesOf } from './ledger/roll-up.ts';
export { openPostgresLedger } from './ledger/postgres-ledger.ts';
export { openSqliteLedger } from './ledger/sqlite-ledger.ts';
export { comparePositions, timeOf } from './stream-position.ts';
export { createOutbox, type Outbox, type OutboxOptions, type Uncounted } from './outbox.ts';
export { readOutboxEntry, type OutboxEntry, type ReadOutboxEntry } from './outbox-entry.ts';
export {
  drainScheduler,
  JOB_OPTIONS,
  QUEUE_PREFIX,
  QUEUE_STREAMS,
  QUEUES,
  RECONCILE_SCHEDULER,
  SWEEP_SCHEDULER,
  TICK_OPTIONS,
  TICKS_MS,
  WORKER_OPTIONS,
  type DrainJob,
} from './queues.ts';
export { claimShards } from './quota/claim-shards.ts';
export {
  createCounters,
  openPeriods,
  type Correction,
  type CountedPeriod,
  type Counters,
  type CountersOptions,
  type LedgerSource,
  type ScopeSnapshot,
  type Snapshot,
} from './quota/counters.ts';
export { shardOf } from './quota/keys.ts';
export { createRedisQuota, type RedisQuotaOptions } from './quota/redis-quota.ts';
export type {
  Dimension,
  ExtendDecision,
  Extension,
  Grant,
  Limits,
  PeriodState,
  Quota,
  Refusal,
  Renewal,
  ReserveDecision,
  ReserveRequest,
  Scope,
  ScopeRemaining,
  ScopeState,
  Settlement,
  SettlementKeeper,
  WindowState,
} from './quota/quota.ts';
export { createFallbackQuota, type FallbackQuota, type FallbackQuotaOptions } from './fallback/fallback-quota.ts';
export { createStoreBreaker, type StoreBreaker, type StoreBreakerOptions } from './fallback/store-breaker.ts';
export { createSpool, type Recovered, type Spool, type SpoolOptions } from './spool/spool.ts';

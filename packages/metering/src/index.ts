export type { Admission, AttemptRecord, CostEvent, Outcome } from './cost-event.ts';
export type {
  DeadLetter,
  EntryKind,
  Ledger,
  LedgerEntry,
  LedgerQuery,
  UsageGroup,
  UsageQuery,
} from './ledger/ledger.ts';
export type {
  Dimension,
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
  WindowState,
} from './quota/quota.ts';

/** Names under which `createAccounting` hands what it has built to Nest's container. */
export const LEDGER = Symbol('Ledger');
export const QUOTA_READER = Symbol('QuotaReader');
export const HEALTH_BOARD = Symbol('HealthBoard');
export const SCOPE_DIRECTORY = Symbol('ScopeDirectory');
export const KEY_DESK = Symbol('KeyDesk');
export const READINESS = Symbol('Readiness');
export const METRICS = Symbol('Metrics');
export const RECONCILER = Symbol('Reconciler');
export const CORRECTION_DESK = Symbol('CorrectionDesk');

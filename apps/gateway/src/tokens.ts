/** Names under which `createGateway` hands what it has built to Nest's container. */
export const CHAT_SERVICES = Symbol('ChatServices');
export const LEDGER = Symbol('Ledger');
export const READINESS = Symbol('Readiness');

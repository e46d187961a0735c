import type { IncomingHttpHeaders } from 'node:http';
import type { RoutingConfig } from '@tokenhub/config';
import { GatewayError, MODE_WEIGHTS, type RoutingMode } from '@tokenhub/core';

/** A caller's wishes for how its request is routed. They may only tighten what the operator set. */
export interface RoutingPolicy {
  readonly mode?: RoutingMode | undefined;
  readonly maxBudgetNanoUsd?: bigint | undefined;
  readonly maxLatencyMs?: number | undefined;
  readonly minWeight?: number | undefined;
  /** Other models may serve when the named one cannot. */
  readonly allowModelFallback: boolean;
  /** What a provider's dialect has no words for is left out of the request, and the answer says so. */
  readonly dropsLosses: boolean;
}

/** The header by which a caller lets providers serve that have no words for all of its request. */
export const DROP_UNSUPPORTED = 'x-tokenhub-drop-unsupported';

/**
 * The policy of a caller whose body has no room for one: `x-tokenhub-allow-fallback: true` lets other models serve,
 * `x-tokenhub-drop-unsupported: true` lets providers serve that have no words for all of the request.
 * @throws GatewayError when one of them says anything but `true` or `false`.
 */
export function policyFromHeaders(headers: IncomingHttpHeaders): RoutingPolicy {
  return {
    allowModelFallback: readSwitch(headers, 'x-tokenhub-allow-fallback'),
    dropsLosses: readSwitch(headers, DROP_UNSUPPORTED),
  };
}

function readSwitch(headers: IncomingHttpHeaders, name: string): boolean {
  const value = headers[name];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new GatewayError('invalid_parameter', `${name} must be true or false.`, { param: name });
}

/** True for the name of a routing mode. */
export function isRoutingMode(value: unknown): value is RoutingMode {
  return typeof value === 'string' && Object.hasOwn(MODE_WEIGHTS, value);
}

/** The caller's policy inside the operator's. */
export function tighten(policy: RoutingPolicy, routing: RoutingConfig): RoutingPolicy & { readonly mode: RoutingMode } {
  return {
    ...policy,
    mode: policy.mode ?? routing.mode,
    maxBudgetNanoUsd: smaller(policy.maxBudgetNanoUsd, routing.maxBudgetNanoUsd),
    maxLatencyMs: smaller(policy.maxLatencyMs, routing.maxLatencyMs),
  };
}

function smaller<Amount extends bigint | number>(a: Amount | undefined, b: Amount | undefined): Amount | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

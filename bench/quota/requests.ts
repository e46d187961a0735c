import type { Limits, ReserveRequest, Settlement } from '@tokenhub/metering';
import { sampleAdmission, sampleEvent } from '../../packages/metering/test/samples.ts';

/** All five dimensions are limited, and none of the limits is ever reached. */
const LIMITS: Limits = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrency: 1_000_000,
  dayNanoUsd: 1_000_000_000_000_000n,
  monthNanoUsd: 8_000_000_000_000_000n,
};

/** Of one key among many: a hundred keys share an organisation, ten a user. All organisations are in one shard. */
export function toRequest(requestId: string, key: number): ReserveRequest {
  const [keyId, user, org] = [`key-${key}`, `user-${Math.floor(key / 10)}`, `org-${Math.floor(key / 100)}`];
  return {
    requestId,
    org,
    scopes: [`key:${keyId}`, `user:${user}`, `org:${org}`].map((id) => ({ id, limits: LIMITS })),
    tokens: 1_000,
    costNanoUsd: 2_000_000n,
    floorNanoUsd: 300_000n,
    admission: sampleAdmission({ requestId, keyId, user, org, admittedAt: Date.now() }),
  };
}

export function toSettlement({ requestId, org, admission }: ReserveRequest): Settlement {
  const event = sampleEvent(admission);
  return { requestId, org, tokens: 700, costNanoUsd: event.costNanoUsd, event };
}

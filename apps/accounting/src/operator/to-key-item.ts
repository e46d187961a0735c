import type { KeyConfig, KeyRights } from '@tokenhub/config';
import { formatUsd } from '@tokenhub/core';
import type { StoredKey } from '@tokenhub/keys';

/** A key that was made here, as the operator surface shows it; what is not set is null. */
export function toKeyItem({ id, name, rights, createdAt, rotatedAt, revokedAt }: StoredKey) {
  return {
    id,
    name: name ?? null,
    static: false,
    ...toRights(rights),
    created_at: toTime(createdAt),
    rotated_at: toTime(rotatedAt),
    revoked_at: toTime(revokedAt),
  };
}

/** A key of the configuration; of when it was written there nothing is known. */
export function toStaticKeyItem(key: KeyConfig) {
  return {
    id: key.id,
    name: null,
    static: true,
    ...toRights(key),
    created_at: null,
    rotated_at: null,
    revoked_at: null,
  };
}

function toRights({ scopes, models, limits, user, org, expiresAt, streamFormat, heartbeat }: KeyRights) {
  return {
    scopes,
    models,
    limits: {
      rpm: limits.requestsPerMinute ?? null,
      tpm: limits.tokensPerMinute ?? null,
      concurrency: limits.concurrency ?? null,
      budget_day_usd: toUsd(limits.dayNanoUsd),
      budget_month_usd: toUsd(limits.monthNanoUsd),
    },
    user: user ?? null,
    org,
    expires_at: toTime(expiresAt),
    stream_format: streamFormat ?? null,
    heartbeat,
  };
}

function toUsd(nanoUsd: bigint | undefined): string | null {
  return nanoUsd === undefined ? null : formatUsd(nanoUsd);
}

function toTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

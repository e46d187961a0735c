import type { KeyConfig, KeyRights } from '@tokenhub/config';
import { formatUsd } from '@tokenhub/core';
import type { StoredKey } from '@tokenhub/keys';

/** A key that was made here, as the operator surface shows it; what is not set is null. */
export function toKeyItem({ id, name, rights, createdAt, rotatedAt, rehashedAt, revokedAt }: StoredKey) {
  return {
    id,
    name: name ?? null,
    static: false,
    ...toRights(rights),
    created_at: toTime(createdAt),
    rotated_at: toTime(rotatedAt),
    rehashed_at: toTime(rehashedAt),
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
    rehashed_at: null,
    revoked_at: null,
  };
}

function toRights(rights: KeyRights) {
  const {
    scopes,
    models,
    limits,
    user,
    team,
    org,
    expiresAt,
    streamFormat,
    heartbeat,
    longAnswers,
    withoutQuotaStore,
  } = rights;
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
    team: team ?? null,
    org,
    expires_at: toTime(expiresAt),
    stream_format: streamFormat ?? null,
    heartbeat,
    long_answers: longAnswers,
    without_quota_store: withoutQuotaStore,
  };
}

function toUsd(nanoUsd: bigint | undefined): string | null {
  return nanoUsd === undefined ? null : formatUsd(nanoUsd);
}

function toTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

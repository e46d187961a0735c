import { expect, test } from 'vitest';
import { GatewayError, type ExceededQuota } from '../errors.ts';
import { anthropicDialect } from './anthropic/anthropic-dialect.ts';
import { openaiDialect } from './openai/openai-dialect.ts';

const quota: ExceededQuota = {
  scope: 'org:acme',
  dimension: 'month',
  limit: '500',
  used: '499.99',
  reserved: '0.01',
  resetAt: Date.UTC(2026, 11, 1),
};
const { resetAt: _resetAt, ...state } = quota;
const written = { ...state, reset_at: '2026-12-01T00:00:00.000Z' };

test.each([openaiDialect, anthropicDialect])('an error in $name names the limit that was reached', (dialect) => {
  const error = new GatewayError('budget_exceeded', 'Used up.', { quota });
  expect(dialect.writeError(error, 'req_1')).toMatchObject({ error: { message: 'Used up.', quota: written } });
  expect(dialect.writeStreamError(error, 'req_1')).toContain(`"quota":${JSON.stringify(written)}`);
  expect(dialect.writeError(new GatewayError('no_upstream', 'None.'), 'req_1')).not.toHaveProperty('error.quota');
});

import { expect, test } from 'vitest';
import { createCandidate, createModel } from './__fixtures__/candidates.ts';
import { findRoutingReason } from './reason.ts';

const SERVED = createCandidate(createModel('gpt-4', { weight: 8 }), 'openai');

test('a scored pick tells the weight', () => {
  expect(findRoutingReason({ served: SERVED, failedAttempts: [] })).toBe('routed-weight-8');
});

test('a named model is a hint', () => {
  expect(findRoutingReason({ served: SERVED, requestedModel: 'gpt-4', failedAttempts: [] })).toBe('model-hint');
});

test('another model than the named one is a scored pick', () => {
  expect(findRoutingReason({ served: SERVED, requestedModel: 'gpt-5', failedAttempts: [] })).toBe('routed-weight-8');
});

test('whoever serves after another has failed is a failover, also for a named model', () => {
  const failedAttempts = [{ candidateId: 'gpt-4@azure', code: 'upstream_unavailable' }] as const;
  expect(findRoutingReason({ served: SERVED, failedAttempts })).toBe('failover-weight-8');
  expect(findRoutingReason({ served: SERVED, requestedModel: 'gpt-4', failedAttempts })).toBe('failover-weight-8');
});

test('the same candidate at its second try is a retry', () => {
  const failedAttempts = [{ candidateId: 'gpt-4@openai', code: 'upstream_unavailable' }] as const;
  expect(findRoutingReason({ served: SERVED, failedAttempts })).toBe('retried-transient');
});

test('a larger window after an overflow is an escalation, whatever failed in between', () => {
  const failedAttempts = [
    { candidateId: 'gpt-3.5@openai', code: 'context_length_exceeded' },
    { candidateId: 'gpt-4@azure', code: 'upstream_timeout' },
  ] as const;
  expect(findRoutingReason({ served: SERVED, failedAttempts })).toBe('escalated-context-overflow');
});

import { formatUsd, type Attempt, type BreakerState, type DeploymentHealth, type GatewayError } from '@tokenhub/core';
import type { CostEvent } from '@tokenhub/metering';
import { Counter, Gauge, Histogram, Registry, type CounterConfiguration, type GaugeConfiguration } from 'prom-client';
import type { FastifyBaseLogger } from 'fastify';

/** What operators see of chats: a few numbers per request, none per token. */
export interface ChatMetrics {
  readonly registry: Registry;
  /** Counts a request that has ended. */
  record(event: CostEvent): void;
  /** Writes a try that failed to the log: refused credentials as a warning, since only an operator can mend them. */
  reportAttempt(attempt: Attempt, requestId: string): void;
  /** Writes a fault of our own to the log; callers only see that something went wrong. */
  reportFault(error: GatewayError, requestId: string): void;
}

/** Read when metrics are asked for. */
export interface Gauges {
  readonly openExchanges: () => number;
  readonly openStreams: () => number;
  readonly unsettled: () => number;
  /** Of those, what lies on the disk. */
  readonly spooled: () => number;
  /** 0 while the quota store is away. */
  readonly storeIsUp: () => number;
  /** Requests admitted so far by this gateway's share alone. */
  readonly degraded: () => number;
  /** Requests refused so far for want of capacity. */
  readonly shed: () => number;
  readonly deployments: () => ReadonlyMap<string, DeploymentHealth>;
}

export function createChatMetrics(gauges: Gauges, log: FastifyBaseLogger): ChatMetrics {
  const logsGoodChats = ['debug', 'trace'].includes(log.level);
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'tokenhub_requests_total',
    help: 'Admitted requests that have ended',
    labelNames: ['surface', 'model', 'provider', 'outcome'],
    registers,
  });
  const tokens = new Counter({
    name: 'tokenhub_tokens_total',
    help: 'Tokens by kind: prompt and completion are totals, the others parts of them',
    labelNames: ['model', 'provider', 'kind'],
    registers,
  });
  const cost = new Counter({
    name: 'tokenhub_cost_usd_total',
    help: 'Cost in USD',
    labelNames: ['model', 'provider'],
    registers,
  });
  const firstToken = new Histogram({
    name: 'tokenhub_first_token_seconds',
    help: 'From admission to the first content event, failover included',
    labelNames: ['model', 'provider'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60],
    registers,
  });
  const failedAttempts = new Counter({
    name: 'tokenhub_failed_attempts_total',
    help: 'Tries at a deployment that failed before the first content event',
    labelNames: ['deployment', 'reason'],
    registers,
  });
  addGauge({ name: 'tokenhub_open_requests', help: 'Chat requests in flight', registers }, gauges.openExchanges);
  addGauge({ name: 'tokenhub_open_streams', help: 'Streams being relayed', registers }, gauges.openStreams);
  addGauge(
    {
      name: 'tokenhub_unsettled_requests',
      help: 'Requests whose settlement the store has not confirmed yet',
      registers,
    },
    gauges.unsettled,
  );
  addGauge(
    {
      name: 'tokenhub_spooled_settlements',
      help: 'Settlements on the disk, since the store has not confirmed them',
      registers,
    },
    gauges.spooled,
  );
  addGauge(
    {
      name: 'tokenhub_quota_store_up',
      help: '0 while the quota store is away and limits are kept by shares',
      registers,
    },
    gauges.storeIsUp,
  );
  addCounter(
    {
      name: 'tokenhub_degraded_admissions_total',
      help: 'Requests admitted by a share of the limits, since the quota store was away',
      registers,
    },
    gauges.degraded,
  );
  addCounter(
    {
      name: 'tokenhub_shed_requests_total',
      help: 'Requests refused because the process was at its capacity',
      registers,
    },
    gauges.shed,
  );
  for (const [name, { help, read }] of Object.entries(DEPLOYMENT_GAUGES)) {
    const gauge: Gauge<'deployment'> = new Gauge({
      name: `tokenhub_deployment_${name}`,
      help,
      labelNames: ['deployment'],
      registers,
      collect() {
        // Deployments come and go with the configuration.
        gauge.reset();
        for (const [deployment, health] of gauges.deployments()) gauge.set({ deployment }, read(health));
      },
    });
  }

  return {
    registry,
    record(event) {
      const { surface, outcome, model = '', provider = '', counts } = event;
      requests.inc({ surface, model, provider, outcome });
      for (const { deployment, outcome: reason } of event.attempts) {
        if (reason !== 'served') failedAttempts.inc({ deployment, reason });
      }
      if (event.model !== undefined) {
        tokens.inc({ model, provider, kind: 'prompt' }, counts.promptTokens);
        tokens.inc({ model, provider, kind: 'completion' }, counts.completionTokens);
        if (counts.cachedTokens > 0) tokens.inc({ model, provider, kind: 'cached' }, counts.cachedTokens);
        if (counts.reasoningTokens > 0) tokens.inc({ model, provider, kind: 'reasoning' }, counts.reasoningTokens);
        cost.inc({ model, provider }, Number(event.costNanoUsd) / 1e9);
        if (event.firstTokenMs !== undefined) firstToken.observe({ model, provider }, event.firstTokenMs / 1000);
      }
      // Most processes do not log every good chat, and should not pay for the line.
      if (outcome === 'completed' && !logsGoodChats) return;
      // Ids, counts and times; never a prompt, an answer or a key.
      const { requestId, keyId, org, reason, errorReason, firstTokenMs, durationMs, attempts } = event;
      // Of one that nobody served: what was asked for, and who was asked last.
      const named = {
        model: event.model ?? event.requestedModel,
        provider: event.provider ?? attempts.at(-1)?.provider,
      };
      const facts = { requestId, keyId, org, ...named, outcome, reason, errorReason, firstTokenMs, durationMs };
      log[outcome === 'completed' ? 'debug' : 'info'](
        { ...facts, ...counts, attempts: attempts.length, costUsd: formatUsd(event.costNanoUsd) },
        'chat',
      );
    },
    reportAttempt({ candidate, error, status }, requestId) {
      log[error.code === 'upstream_auth' ? 'warn' : 'debug'](
        { requestId, deployment: candidate.candidate.id, reason: error.code, status, err: error.cause },
        'an attempt failed',
      );
    },
    reportFault(error, requestId) {
      log.error({ requestId, err: error.cause }, 'a chat failed by a fault of ours');
    },
  };
}

function addGauge(configuration: GaugeConfiguration<string>, read: () => number): void {
  const gauge: Gauge = new Gauge({ ...configuration, collect: () => gauge.set(read()) });
}

function addCounter(configuration: CounterConfiguration<string>, read: () => number): void {
  let last = 0;
  const counter: Counter = new Counter({
    ...configuration,
    collect() {
      const now = read();
      counter.inc(now - last);
      last = now;
    },
  });
}

const BREAKER_NUMBERS: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** What Prometheus learns of each deployment's health. */
const DEPLOYMENT_GAUGES: Readonly<
  Record<string, { readonly help: string; readonly read: (health: DeploymentHealth) => number }>
> = {
  breaker_state: {
    help: 'Circuit breaker: 0 closed, 1 half-open, 2 open',
    read: ({ breaker }) => BREAKER_NUMBERS[breaker],
  },
  cooldown_seconds: {
    help: 'How long it is still left alone at its own wish',
    read: (health) => health.cooldownMs / 1e3,
  },
  error_ratio: { help: 'Failures per request in the last minute', read: ({ errorRate }) => errorRate },
  first_token_average_seconds: {
    help: 'Moving average of the time to the first token; 0 unknown',
    read: ({ ttftMs }) => ttftMs / 1e3,
  },
  token_interval_average_seconds: {
    help: 'Moving average of the time from one output token to the next; 0 unknown',
    read: ({ msPerToken }) => msPerToken / 1e3,
  },
};

import { Breaker, type BreakerChange, type BreakerState, type RequestFailure } from './breaker.ts';
import type { HealthNews, HealthPeers } from './health-peers.ts';
import { MovingAverage } from './moving-average.ts';
import { OutcomeWindow } from './outcome-window.ts';

/** How a deployment has done lately. */
export interface DeploymentHealth {
  /** Requests that ended in the last minute, failed ones included. */
  readonly requests: number;
  readonly failures: number;
  /** Failures per request, 0 to 1; 0 when there was none. */
  readonly errorRate: number;
  /** Moving average of the time to the first token, in milliseconds; 0 when not measured lately, so that it gets measured. */
  readonly ttftMs: number;
  /** Moving average of the time from one output token to the next, in milliseconds; 0 when not measured lately. */
  readonly msPerToken: number;
  readonly breaker: BreakerState;
  /** Until its breaker lets a request through, in milliseconds; 0 when it would now. */
  readonly openMs: number;
  /** For how long it has asked to be left alone, in milliseconds; 0 when it has not. */
  readonly cooldownMs: number;
}

/** Reads the health of a deployment, by candidate id; one never heard of is healthy. */
export interface HealthReader {
  read(candidateId: string): DeploymentHealth;
}

/**
 * The health of all deployments as this process sees it, with a circuit breaker for each. Only the provider's own faults
 * belong here: a caller that leaves or sends nonsense harms nobody's health.
 */
export interface Health extends HealthReader {
  /**
   * May the deployment be asked now? At once while its breaker is closed. Of a half-open one the first to ask gets the
   * probe, for `probeMs` the only one of the whole cluster, or until it ends in one of the records below.
   */
  admit(candidateId: string, probeMs: number): boolean | Promise<boolean>;
  /** It gave its first token: a probe has succeeded. */
  recordFirstToken(candidateId: string, ttftMs: number): void;
  /** An answer came to its good end; `msPerToken` is absent where that cannot be told. */
  recordSuccess(candidateId: string, msPerToken?: number): void;
  recordFailure(candidateId: string, failure: RequestFailure): void;
  /**
   * What was asked of it at `sentAt` ended in a way that tells nothing of it: the caller left, or had asked for nonsense.
   * `waitedMs` is how long it had been waited for in vain, where it was: it takes longer than that.
   */
  recordNothing(candidateId: string, sentAt: number, waitedMs?: number): void;
  /** It asked to be left alone for so long; five minutes at most are granted, then it is asked again. */
  coolDown(candidateId: string, forMs: number): void;
  /** Takes in what another process of the cluster has found. */
  hear(news: HealthNews): void;
  /** Forgets all other deployments: those of a configuration that is not in force any more. */
  retain(candidateIds: ReadonlySet<string>): void;
  /** Every deployment heard of so far, by candidate id; for metrics and for operators. */
  snapshot(): ReadonlyMap<string, DeploymentHealth>;
}

/** What health is measured with. */
export interface HealthOptions {
  /** A clock in milliseconds that never goes back, such as `performance.now`. */
  readonly now: () => number;
  /** The other processes of the cluster; absent: there are none. */
  readonly peers?: HealthPeers | undefined;
}

const LONGEST_COOLDOWN_MS = 300_000;

const UNKNOWN: DeploymentHealth = {
  requests: 0,
  failures: 0,
  errorRate: 0,
  ttftMs: 0,
  msPerToken: 0,
  breaker: 'closed',
  openMs: 0,
  cooldownMs: 0,
};

/** The health of all deployments, as one process knows it. */
export function createHealth({ now, peers }: HealthOptions): Health {
  const records = new Map<string, HealthRecord>();

  function recordOf(candidateId: string): HealthRecord {
    let record = records.get(candidateId);
    if (record === undefined) {
      record = new HealthRecord(now());
      records.set(candidateId, record);
    }
    return record;
  }

  async function takeProbe(candidateId: string, { breaker }: HealthRecord, probeMs: number): Promise<boolean> {
    // Taken here first, so that this process asks its peers once and not for each of its requests.
    if (!breaker.takeProbe(now(), probeMs)) return false;
    if (peers === undefined || (await peers.takeProbe(candidateId, probeMs))) return true;
    // It may have been heard meanwhile that theirs was answered.
    if (breaker.isClosed) return true;
    breaker.leaveProbeToOthers(now());
    return false;
  }

  /** Lets something happen to a breaker, and tells the peers what came of it. */
  function judge(deployment: string, { breaker, window }: HealthRecord, verdict: () => BreakerChange | void): void {
    const { hasProbe } = breaker;
    const change = verdict();
    if (hasProbe && !breaker.hasProbe) peers?.returnProbe(deployment);
    if (change === 'opened') peers?.announce({ kind: 'opened', deployment, restMs: breaker.restMs(now()) });
    if (change !== 'closed') return;
    // What it did before it recovered is no measure of it any more.
    window.clear();
    peers?.announce({ kind: 'closed', deployment });
  }

  return {
    admit(candidateId, probeMs) {
      const record = records.get(candidateId);
      return record === undefined || record.breaker.isClosed ? true : takeProbe(candidateId, record, probeMs);
    },
    recordFirstToken(candidateId, ttftMs) {
      const record = recordOf(candidateId);
      record.ttft.measure(now(), ttftMs);
      judge(candidateId, record, () => record.breaker.answer(now()));
    },
    recordSuccess(candidateId, msPerToken) {
      const record = recordOf(candidateId);
      record.window.count(now(), 0);
      if (msPerToken !== undefined) record.tokenInterval.measure(now(), msPerToken);
      record.breaker.succeed();
    },
    recordFailure(candidateId, failure) {
      const record = recordOf(candidateId);
      record.window.count(now(), 1);
      judge(candidateId, record, () => record.breaker.fail(now(), failure));
    },
    recordNothing(candidateId, sentAt, waitedMs = 0) {
      const record = records.get(candidateId);
      if (record?.breaker.isProbe(sentAt) === true) {
        judge(candidateId, record, () => record.breaker.returnProbe());
      }
      // So that one that keeps silent does not look like one that was never measured.
      if (waitedMs > (record?.ttft.read(now()) ?? 0)) recordOf(candidateId).ttft.measure(now(), waitedMs);
    },
    coolDown(candidateId, forMs) {
      const restMs = recordOf(candidateId).coolDown(now(), forMs);
      peers?.announce({ kind: 'cooling', deployment: candidateId, restMs });
    },
    hear(news) {
      const record = recordOf(news.deployment);
      switch (news.kind) {
        case 'opened':
          // Their way to the provider may be broken and ours not, so it takes a failure here as well.
          record.breaker.suspect(now(), news.restMs);
          break;
        case 'closed':
          if (record.breaker.isClosed) break;
          judge(news.deployment, record, () => record.breaker.close());
          record.window.clear();
          break;
        case 'cooling':
          record.coolDown(now(), news.restMs);
          break;
      }
    },
    retain(candidateIds) {
      for (const id of records.keys()) if (!candidateIds.has(id)) records.delete(id);
    },
    read: (candidateId) => records.get(candidateId)?.read(now()) ?? UNKNOWN,
    snapshot: () => new Map(Array.from(records, ([id, record]) => [id, record.read(now())])),
  };
}

/** What is kept of one deployment. */
class HealthRecord {
  readonly window: OutcomeWindow;
  readonly breaker = new Breaker();
  readonly ttft = new MovingAverage();
  readonly tokenInterval = new MovingAverage();
  #coolUntil = -Infinity;

  constructor(now: number) {
    this.window = new OutcomeWindow(now);
  }

  /** Gives for how long it is left alone now. A shorter wish does not cut an earlier one. */
  coolDown(now: number, forMs: number): number {
    this.#coolUntil = Math.max(this.#coolUntil, now + Math.min(forMs, LONGEST_COOLDOWN_MS));
    return this.#coolUntil - now;
  }

  read(now: number): DeploymentHealth {
    const { requests, failures } = this.window.read(now);
    return {
      requests,
      failures,
      errorRate: requests === 0 ? 0 : failures / requests,
      ttftMs: this.ttft.read(now),
      msPerToken: this.tokenInterval.read(now),
      breaker: this.breaker.state(now),
      openMs: this.breaker.restMs(now),
      cooldownMs: Math.max(0, this.#coolUntil - now),
    };
  }
}

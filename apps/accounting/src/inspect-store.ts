import type { Cluster, Redis } from 'ioredis';

/** What is told of a store that keeps money. */
export interface StoreReport {
  /** What would lose money when the store ends, a sentence each; empty when nothing would. */
  readonly warnings: readonly string[];
  /** It was started anew since it was last looked at, by whatever process. */
  readonly isNewRun: boolean;
}

const LAST_RUN = 'gw:run';

/**
 * Looks whether a store keeps what it is told, on every node of a cluster that takes writes, and has a newly started one write
 * its append-only file anew: Redis 7.0 cuts a file that was torn inside a transaction after the last whole command, and runs
 * what is before it a second time at the start after next.
 */
export async function inspectStore(redis: Redis | Cluster): Promise<StoreReport> {
  const reports = await Promise.all(nodesOf(redis).map((node) => inspectNode(node, redis)));
  return {
    warnings: [...new Set(reports.flatMap(({ warnings }) => warnings))],
    isNewRun: reports.some(({ isNewRun }) => isNewRun),
  };
}

function nodesOf(redis: Redis | Cluster): readonly Redis[] {
  return 'nodes' in redis ? redis.nodes('master') : [redis];
}

/** @param memory where the node's last run is remembered */
async function inspectNode(node: Redis, memory: Redis | Cluster): Promise<StoreReport> {
  const run = /^run_id:(\w+)/m.exec(await node.info('server'))?.[1] ?? '';
  const appends = await readSetting(node, 'appendonly');
  const policy = await readSetting(node, 'maxmemory-policy');
  const { host = '', port = '', path = '' } = node.options;
  const isNewRun = run !== '' && (await memory.set(`${LAST_RUN}:${path || `${host}:${port}`}`, run, 'GET')) !== run;
  if (isNewRun && appends === 'yes') await node.bgrewriteaof().catch(ignoreRunning);
  return { warnings: [...toWarnings(appends, policy)], isNewRun };
}

function* toWarnings(appends: string | undefined, policy: string | undefined): Generator<string> {
  if (appends === undefined || policy === undefined) {
    yield 'Redis does not tell whether it keeps its data; make sure of "appendonly yes" and "maxmemory-policy noeviction".';
  }
  if (appends === 'no') yield 'Redis keeps nothing when it ends: set "appendonly yes" and "appendfsync everysec".';
  if (policy !== undefined && policy !== 'noeviction') {
    yield `Redis drops budgets when its memory is full: set "maxmemory-policy noeviction" in place of "${policy}".`;
  }
}

/** Absent where a managed store tells nobody. */
async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await redis.config('GET', name).catch(() => []);
  const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function ignoreRunning(error: unknown): void {
  if (!(error instanceof Error && /in progress|scheduled/i.test(error.message))) throw error;
}

import type { DeploymentHealth } from '@tokenhub/core';
import { withinMs } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { BOARD } from './keys.ts';

/** How one gateway sees a deployment. */
export interface DeploymentReport extends DeploymentHealth {
  readonly deployment: string;
}

export interface GatewayHealthReport {
  readonly gatewayId: string;
  /** When it was written: milliseconds since 1970 by the clock of Redis, so that no two machines' clocks are compared. */
  readonly at: number;
  readonly deployments: readonly DeploymentReport[];
}

/** Where each gateway of a cluster puts its view of its deployments, for operators to read. */
export interface HealthBoard {
  /**
   * Puts a gateway's view, as `Health.snapshot` gives it, in the place of its last one; to be called every
   * {@link REPORT_EVERY_MS}. The first time it also clears away what gateways that died have left.
   */
  write(gatewayId: string, snapshot: ReadonlyMap<string, DeploymentHealth>): Promise<void>;
  /** Takes a gateway's view away when it ends. Without that it is forgotten after 15 s. */
  remove(gatewayId: string): Promise<void>;
  /** The views of all gateways that wrote within the last 15 s, in no order. What cannot be read is left out. */
  read(): Promise<readonly GatewayHealthReport[]>;
}

export interface HealthBoardOptions {
  readonly redis: Redis | Cluster;
  /** Milliseconds since 1970 in place of the store's own clock, for tests. */
  readonly now?: (() => number) | undefined;
}

/** Time between two reports of a gateway, in milliseconds: two may be lost before it is thought to be gone. */
export const REPORT_EVERY_MS = 5_000;
const REPORT_LIFE_MS = 15_000;
/** Longest wait for Redis: a report that is late helps nobody. */
const ANSWER_TIMEOUT_MS = 2_000;

/** A {@link HealthBoard} in Redis. All its methods reject when Redis does not answer within two seconds; `remove` lets a running `write` end first. */
export function createHealthBoard({ redis, now }: HealthBoardOptions): HealthBoard {
  let cleared = false;
  let lastWrite: Promise<void> = Promise.resolve();

  async function write(gatewayId: string, snapshot: ReadonlyMap<string, DeploymentHealth>): Promise<void> {
    if (!cleared) await read();
    cleared = true;
    const deployments = Array.from(snapshot, ([deployment, health]) => ({ deployment, ...health }));
    const at = await clock();
    await redis.hset(BOARD, gatewayId, JSON.stringify({ at, deployments }));
  }

  async function read(): Promise<readonly GatewayHealthReport[]> {
    // In this order, so that no report is of a later time than `time`
    const fields = Object.entries(await redis.hgetall(BOARD));
    const time = await clock();
    const reports = fields.flatMap(([gatewayId, json]) => readReport(gatewayId, json) ?? []);
    const isOld = ({ at }: GatewayHealthReport): boolean => time - at > REPORT_LIFE_MS;
    const left = reports.filter(isOld).map(({ gatewayId }) => gatewayId);
    if (left.length > 0) await redis.hdel(BOARD, ...left);
    return reports.filter((report) => !isOld(report));
  }

  async function clock(): Promise<number> {
    if (now !== undefined) return now();
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  return {
    write(gatewayId, snapshot) {
      lastWrite = withinMs(write(gatewayId, snapshot), ANSWER_TIMEOUT_MS);
      return lastWrite;
    },
    async remove(gatewayId) {
      // Else it might come after the removal
      await lastWrite.catch(() => {});
      await withinMs(redis.hdel(BOARD, gatewayId), ANSWER_TIMEOUT_MS);
    },
    read: () => withinMs(read(), ANSWER_TIMEOUT_MS),
  };
}

const ms = z.number().nonnegative();
const count = z.int().nonnegative();
const reportSchema: z.ZodType<Omit<GatewayHealthReport, 'gatewayId'>> = z.object({
  at: count,
  deployments: z.array(
    z.object({
      deployment: z.string().min(1),
      breaker: z.enum(['closed', 'open', 'half_open']),
      openMs: ms,
      cooldownMs: ms,
      requests: count,
      failures: count,
      errorRate: z.number().min(0).max(1),
      ttftMs: ms,
      msPerToken: ms,
    }),
  ),
});

/** `undefined` for what is not a report, or is one that only a later version knows. */
function readReport(gatewayId: string, json: string): GatewayHealthReport | undefined {
  try {
    const { data } = reportSchema.safeParse(JSON.parse(json));
    return data && { gatewayId, ...data };
  } catch {
    return undefined; // no JSON
  }
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createHealthBoard, createRedisHealthPeers, REPORT_EVERY_MS } from '@tokenhub/cluster';
import { createHealth, type Health } from '@tokenhub/core';
import type { Cluster, Redis } from 'ioredis';

/** The health of all deployments, shared with the other gateways of the cluster and shown to its operators. */
export interface SharedHealth {
  readonly health: Health;
  /** Takes leave of the others; `redis` stays open. */
  close(): Promise<void>;
}

/** @param onError is told of everything that could not be shared; requests are served all the same. */
export function createSharedHealth(redis: Redis | Cluster, onError: (error: unknown) => void): SharedHealth {
  const gatewayId = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const peers = createRedisHealthPeers({ redis, gatewayId, onNews: (news) => health.hear(news), onError });
  const health = createHealth({ now: () => performance.now(), peers });
  const board = createHealthBoard({ redis });
  const report = (): void => void board.write(gatewayId, health.snapshot()).catch(onError);
  report();
  const reporter = setInterval(report, REPORT_EVERY_MS);
  reporter.unref();
  return {
    health,
    async close() {
      clearInterval(reporter);
      peers.close();
      await board.remove(gatewayId).catch(onError);
    },
  };
}

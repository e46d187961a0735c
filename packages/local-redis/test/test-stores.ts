import { findRedisServer, startRedis, startRedisCluster, type LocalRedis } from '../src/index.ts';

/** What a suite of tests runs in. */
export interface TestStore {
  readonly name: string;
  readonly kind: 'server' | 'embedded' | 'cluster';
  /** It cannot be started on this machine. */
  readonly isSkipped: boolean;
  readonly start: () => Promise<LocalRedis>;
}

const isInstalled = (await findRedisServer()) !== undefined;

/** For `describe.each`: each suite runs in all of them, one after the other. */
export const TEST_STORES: readonly TestStore[] = [
  { name: 'a Redis of PATH, else the embedded one', kind: 'server', isSkipped: false, start: () => startRedis() },
  { name: 'the embedded Redis', kind: 'embedded', isSkipped: false, start: () => startRedis({ embedded: true }) },
  {
    name: 'a Redis Cluster of one node (skipped where no Redis is installed)',
    kind: 'cluster',
    isSkipped: !isInstalled,
    start: () => startRedisCluster(),
  },
];

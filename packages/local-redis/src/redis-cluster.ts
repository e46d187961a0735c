import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from './ask-server.ts';
import { findFreePorts } from './free-ports.ts';
import { launchServer, toArguments } from './launch-server.ts';
import type { LocalRedis } from './local-redis.ts';
import { findRedisServer } from './redis-server.ts';

export interface StartRedisClusterOptions {
  /** Nodes that share the slots, without replicas. @defaultValue 1 */
  readonly primaries?: number | undefined;
}

const SLOTS = 16_384;
const TRIES = 3;
/** A node takes no writes for its first 2 s, and what one says of another takes its time to get around. */
const FORM_TIMEOUT_MS = 30_000;

/**
 * Starts a Redis Cluster for tests on free ports of the loopback interface, in memory, that ends with this process. Its url is
 * `redis-cluster://…`.
 * @throws Error where no Redis or Valkey of 7.0 or later is installed.
 */
export async function startRedisCluster({ primaries = 1 }: StartRedisClusterOptions = {}): Promise<LocalRedis> {
  const server = await findRedisServer();
  if (server === undefined) throw new Error('no redis-server or valkey-server on PATH');
  const nodes = await Promise.all(Array.from({ length: primaries }, () => tryToStartNode(server.kind)));
  let stopped: Promise<unknown> | undefined;
  const cluster: LocalRedis = {
    ...server,
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    pid: primaries === 1 ? nodes[0]?.pid : undefined,
    exited: Promise.all(nodes.map(({ exited }) => exited)).then(() => undefined),
    async stop() {
      stopped ??= Promise.all(nodes.map((node) => node.stop()));
      await stopped;
    },
  };
  try {
    await form(nodes);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

interface Node extends Pick<LocalRedis, 'pid' | 'exited' | 'stop'> {
  readonly port: number;
  readonly busPort: number;
}

/** Somebody may have taken a free port before the node does. */
async function tryToStartNode(program: string, tries = TRIES): Promise<Node> {
  try {
    return await startNode(program);
  } catch (error) {
    if (tries <= 1) throw error;
    return tryToStartNode(program, tries - 1);
  }
}

async function startNode(program: string): Promise<Node> {
  const [port = 0, busPort = 0] = await findFreePorts(2);
  const node = await launchServer(program, (directory) => ({
    args: toArguments({
      bind: '127.0.0.1',
      port,
      'cluster-enabled': 'yes',
      'cluster-port': busPort,
      // Of itself a node knows no address before it has met another
      'cluster-announce-ip': '127.0.0.1',
      dir: directory,
      appendonly: 'no',
      save: '',
      'maxmemory-policy': 'noeviction',
    }),
    address: { port },
  }));
  return { ...node, port, busPort };
}

/** Makes nodes that know nobody one cluster. */
async function form(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new RangeError('a cluster has a node');
  for (const [index, { port }] of nodes.entries()) {
    const begin = Math.ceil((index * SLOTS) / nodes.length);
    const end = Math.ceil(((index + 1) * SLOTS) / nodes.length) - 1;
    await order(port, `CLUSTER ADDSLOTSRANGE ${begin} ${end}`);
    // Each its own, else they would have to agree on it first
    await order(port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (index > 0) await order(port, `CLUSTER MEET 127.0.0.1 ${first.port} ${first.busPort}`);
  }
  const deadline = Date.now() + FORM_TIMEOUT_MS;
  for (const { port } of nodes) {
    while (!isWhole(await askServer({ port }, 'CLUSTER INFO'), nodes.length)) {
      if (Date.now() > deadline) throw new Error('the nodes did not become a cluster');
      await sleep(20);
    }
  }
}

function isWhole(info: string | undefined, nodes: number): boolean {
  return info !== undefined && /cluster_state:ok/.test(info) && info.includes(`cluster_size:${nodes}\r`);
}

async function order(port: number, command: string): Promise<void> {
  const answer = await askServer({ port }, command);
  if (!answer?.startsWith('+OK')) throw new Error(`${command}: ${answer ?? 'no answer'}`);
}

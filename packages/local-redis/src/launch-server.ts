import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askServer } from './ask-server.ts';
import type { LocalRedis } from './local-redis.ts';
import { spawnBound } from './spawn-bound.ts';

export interface Launch {
  readonly args: readonly string[];
  /** Where it can be asked whether it is ready. */
  readonly address: NetConnectOpts;
}

/** Longest wait until a server is ready; loading a large append-only file is what may take long. */
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a server that ends with this process, and waits until it is ready.
 * @param prepare gets a directory that only this user may enter, and that is removed when the server has ended
 * @throws Error with its last words when it ends or takes too long.
 */
export async function launchServer(
  program: string,
  prepare: (directory: string) => Launch | Promise<Launch>,
): Promise<Pick<LocalRedis, 'pid' | 'exited' | 'stop'>> {
  const directory = await mkdtemp(join(tmpdir(), 'tokenhub-redis-'));
  const { args, address } = await prepare(directory);
  const child = spawnBound(program, args, { stdout: 'pipe' });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
  });
  const exited = once(child, 'close').then(() => rm(directory, { recursive: true, force: true }));

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  // A server that is still loading its data answers `-LOADING`, which is not yet a PONG
  while (!(await askServer(address, 'PING'))?.startsWith('+PONG')) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} did not start. Its last words:\n${output.trim()}`);
    }
    await sleep(10);
  }
  return { pid: child.pid, exited, stop };
}

/** As `redis-server` takes them on its command line. */
export function toArguments(settings: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

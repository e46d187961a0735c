import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

export interface ConnectBlackHole {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** Frees the port; connects that hang get a reset. */
  close(): Promise<void>;
}

const MOST_FILLERS = 16;
const HANGS_AFTER_MS = 100;

/**
 * Starts a TCP port to which a connect hangs, as to a host that drops packets: the port's accept queue is full and nobody
 * empties it. Linux then ignores further connects.
 * @throws Error where the system does not.
 */
export async function startConnectBlackHole(): Promise<ConnectBlackHole> {
  const extension = extname(fileURLToPath(import.meta.url));
  const worker = new Worker(new URL(`full-listener${extension}`, import.meta.url), { execArgv: [] });
  const [address]: AddressInfo[] = await once(worker, 'message');
  const port = address?.port ?? 0;
  const fillers: Socket[] = [];
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  };
  do {
    if (fillers.length === MOST_FILLERS) {
      await close();
      throw new Error('Connects to a full accept queue do not hang on this system.');
    }
    fillers.push(connect(port, '127.0.0.1').on('error', () => {}));
    // One more turn of the event loop, so that a busy one does not pass for a hanging connect.
    await setTimeout(HANGS_AFTER_MS);
    await setImmediate();
  } while (fillers.at(-1)?.readyState !== 'opening');
  fillers.pop()?.destroy();
  return { url: `http://127.0.0.1:${port}`, port, close };
}

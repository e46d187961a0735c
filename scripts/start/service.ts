import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '@tokenhub/config';
import { spawnBound } from '@tokenhub/local-redis';

/** Room for what a burst of requests leaves behind: by default V8 collects its 16 MiB several times a second. */
const NODE_ARGUMENTS = ['--enable-source-maps', '--max-semi-space-size=32'];

/** One of our programs as a child process. */
export interface Service {
  readonly name: string;
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  /** Resolves when it says that it can serve; rejects when it ends before, takes too long, or the signal says to stop waiting. */
  ready(signal: AbortSignal): Promise<void>;
  /** Asks it to end and waits until it has; it takes as long as its last requests need. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

const READY_TIMEOUT_MS = 60_000;

/** @param entry the compiled program; @param readyUrl answers 200 when it can serve. */
export function startService({
  name,
  entry,
  env,
  readyUrl,
}: {
  readonly name: string;
  readonly entry: URL;
  readonly env: NodeJS.ProcessEnv;
  readonly readyUrl: string;
}): Service {
  const child = spawnBound(process.execPath, [...NODE_ARGUMENTS, fileURLToPath(entry)], { env });
  const ended = once(child, 'exit').then(([code, signal]) =>
    code === null ? `was ended by ${String(signal)}` : `ended with exit code ${String(code)}`,
  );
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));

  return {
    name,
    ended,
    async ready(signal) {
      const deadline = Date.now() + READY_TIMEOUT_MS;
      while (!(await answersOk(readyUrl))) {
        if (hasEnded) throw new OperatorError(`${name} ${await ended} before it could serve; it says above why`);
        if (Date.now() > deadline)
          throw new OperatorError(`${name} is not ready after ${READY_TIMEOUT_MS / 1000} s (${readyUrl})`);
        await sleep(50, undefined, { signal });
      }
    },
    async stop() {
      if (!hasEnded) child.kill('SIGTERM');
      await ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

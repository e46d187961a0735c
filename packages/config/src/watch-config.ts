import { watchFile } from 'node:fs';

/** How often the file is looked at. By polling, since a mounted file is changed by changing what a link points to. */
const LOOK_EVERY_MS = 1_000;
/** Longer than the time between two looks. */
const SETTLE_MS = 1_500;

/**
 * Calls `reload` on SIGHUP and whenever the configuration file has changed, for as long as the process lives, and says on
 * standard output or error what came of it. A `reload` that throws has changed nothing.
 */
export function watchConfig(fileName: string, reload: () => void): void {
  const tryReload = (): void => {
    try {
      reload();
      process.stdout.write('configuration reloaded\n');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`The configuration stays as it was:\n${reason}\n`);
    }
  };
  process.on('SIGHUP', tryReload);
  let settling: NodeJS.Timeout | undefined;
  watchFile(fileName, { interval: LOOK_EVERY_MS, persistent: false }, () => {
    // Half a file may be a valid one, so nothing is read before it has stopped changing.
    clearTimeout(settling);
    settling = setTimeout(tryReload, SETTLE_MS);
    settling.unref();
  });
}

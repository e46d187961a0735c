import { watchFile } from 'node:fs';
import { OperatorError } from './operator-error.ts';

/** How often the file is looked at. By polling, since a mounted file is changed by changing what a link points to. */
const LOOK_EVERY_MS = 1_000;
/** Longer than the time between two looks. */
const SETTLE_MS = 1_500;

/** Where it is told what came of reading the file again; any logger of pino's is one. */
export interface ReloadLog {
  info(message: string): void;
  error(facts: object, message: string): void;
}

/**
 * Calls `reload` on SIGHUP and whenever the configuration file has changed, for as long as the process lives, and logs what came
 * of it. A `reload` that throws has changed nothing.
 */
export function watchConfig(fileName: string, reload: () => void, log: ReloadLog): void {
  const tryReload = (): void => {
    try {
      reload();
      log.info('configuration reloaded');
    } catch (error) {
      const facts = error instanceof OperatorError ? { reason: error.message } : { err: error };
      log.error(facts, 'The configuration stays as it was');
    }
  };
  process.on('SIGHUP', tryReload);
  let settling: NodeJS.Timeout | undefined;
  watchFile(fileName, { interval: LOOK_EVERY_MS, persistent: false }, (now, before) => {
    // Of a file that is not there Node tells once, though nothing has changed.
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino) return;
    // Half a file may be a valid one, so nothing is read before it has stopped changing.
    clearTimeout(settling);
    settling = setTimeout(tryReload, SETTLE_MS);
    settling.unref();
  });
}

import { spawn, type ChildProcess } from 'node:child_process';

export interface SpawnBoundOptions {
  /** @defaultValue ours */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** What becomes of its standard output; standard error is always ours. @defaultValue 'inherit' */
  readonly stdout?: 'inherit' | 'pipe' | undefined;
}

/**
 * Runs the command in the shell's own place, and beside it a watcher of a pipe that nobody writes to: when we end, however
 * we end, the pipe closes and the command is told to end too.
 */
const BOUND = 'exec 3<&0; (read -r _ <&3; kill -TERM $$ 2>/dev/null) & exec "$@" 3<&- </dev/null';

/**
 * Starts a program that ends with this process, also when that is killed, but not with a Ctrl-C in its terminal: that is
 * for us to handle, since such a program must outlive those who still use it.
 */
export function spawnBound(
  command: string,
  args: readonly string[],
  { env, stdout = 'inherit' }: SpawnBoundOptions = {},
): ChildProcess {
  const child = spawn('sh', ['-c', BOUND, 'sh', command, ...args], {
    detached: true,
    ...(env !== undefined && { env }),
    stdio: ['pipe', stdout, 'inherit'],
  });
  // The pipe breaks when the program ends first, which its `exit` event tells.
  child.stdin?.on('error', () => {});
  return child;
}

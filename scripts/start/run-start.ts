import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `start` as a child process of a test or of the examples. */
export interface RunningStart {
  readonly child: ChildProcess;
  /** All that it has printed so far. */
  readonly output: () => string;
  /** Resolves when it says that it runs; rejects with its output when it ends before. */
  readonly running: Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<unknown>;
}

/** Runs `start` on the demo with free ports, whatever this machine has configured. */
export async function runStart(env: Readonly<Record<string, string>>): Promise<RunningStart> {
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: {
      ...process.env,
      // An empty variable counts as one that is not set.
      OPENAI_API_KEY: '',
      ANTHROPIC_API_KEY: '',
      TOKENHUB_CONFIG: '',
      TOKENHUB_ADMIN_TOKEN: '',
      TOKENHUB_KEY_PEPPER: '',
      TOKENHUB_KEY_PEPPER_PREVIOUS: '',
      DEMO_KEY: '',
      REDIS_URL: '',
      DATABASE_URL: '',
      LOG_LEVEL: 'warn',
      GATEWAY_PORT: String(await findFreePort()),
      ACCOUNTING_PORT: String(await findFreePort()),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code, signal]: unknown[]) => code ?? signal);
  const running = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      if (line.startsWith('Ctrl-C stops')) resolve();
    });
    void ended.then((code) => reject(new Error(`start ended with ${String(code)} before it was running:\n${output}`)));
  });
  // Nobody need ask whether it came to run.
  running.catch(() => {});
  return { child, output: () => output, running, ended };
}

/** A port that nobody listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findFreePorts, spawnBound } from '@tokenhub/local-redis';

export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;

export async function hasNginx(): Promise<boolean> {
  return await promisify(execFile)('nginx', ['-v']).then(
    () => true,
    () => false,
  );
}

/** An nginx as most are: it buffers what it is not told to let through. Ends with this process at the latest. */
export async function startNginx(target: string): Promise<Nginx> {
  const prefix = await mkdtemp(join(tmpdir(), 'tokenhub-nginx-'));
  const [port = 0] = await findFreePorts(1);
  await writeFile(join(prefix, 'nginx.conf'), configuration(port, target));
  const child = spawnBound('nginx', ['-p', prefix, '-c', 'nginx.conf', '-e', 'error.log'], { stdout: 'pipe' });
  child.stdout?.resume();
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(prefix, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await accepts(port));) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error('nginx did not start');
    }
    await sleep(20);
  }
  return { url: `http://127.0.0.1:${port}`, stop };
}

function configuration(port: number, target: string): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${target};
      proxy_http_version 1.1;
    }
  }
}
`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

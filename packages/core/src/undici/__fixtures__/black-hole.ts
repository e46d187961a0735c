import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

const LISTEN_AND_FREEZE = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
    process.exit();
  });
`;

/** A port on loopback that neither takes nor refuses connections: its process is frozen and its queue is full. */
export async function startBlackHole(): Promise<AsyncDisposable & { readonly origin: string }> {
  const child = spawn(process.execPath, ['-e', LISTEN_AND_FREEZE], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(child.stdout, 'data');
  const fillers = Array.from({ length: 4 }, () => connect(Number(String(port)), '127.0.0.1').on('error', () => {}));
  // The first two fill the queue; the others get no answer.
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    async [Symbol.asyncDispose]() {
      for (const socket of fillers) socket.destroy();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

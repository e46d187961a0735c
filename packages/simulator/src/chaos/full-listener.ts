import { createServer } from 'node:net';
import { parentPort } from 'node:worker_threads';

// Run as a worker: listens, says where, and then blocks its event loop, so that no connection is ever accepted.
const server = createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
  parentPort?.postMessage(server.address());
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { cannotListen } from '@tokenhub/config';

/** @throws OperatorError naming the variable to change, when something else listens there. */
export async function ensureFreePort(variable: string, host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(error, { variable, host, port });
  } finally {
    server.close();
  }
}

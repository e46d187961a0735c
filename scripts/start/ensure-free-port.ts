import { once } from 'node:events';
import { createServer } from 'node:net';
import { OperatorError } from '@tokenhub/config';

/** @throws OperatorError naming the variable to change, when something else listens there. */
export async function ensureFreePort(variable: string, host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const reason = why === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on (${why})`;
    throw new OperatorError(`${host}:${port} ${reason}. Stop that, or set ${variable} to another port`, {
      cause: error,
    });
  } finally {
    server.close();
  }
}

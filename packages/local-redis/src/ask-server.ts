import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';

/** What a server answers to a command of a few words, as far as it comes in one piece; `undefined` when it does not answer. */
export async function askServer(address: NetConnectOpts, command: string): Promise<string | undefined> {
  const socket = connect(address);
  try {
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer')));
    socket.write(`${command}\r\n`);
    const [answer] = await once(socket, 'data');
    return String(answer);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

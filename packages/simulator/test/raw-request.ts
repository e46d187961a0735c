import { connect } from 'node:net';
import { once } from 'node:events';

export interface RawAnswer {
  readonly statusLine: string;
  /** Header lines as they came, in lower case. */
  readonly headers: string;
  /** The body, unchunked if it was chunked. */
  readonly body: Buffer;
  /** The HTTP chunks of the body. */
  readonly chunks: readonly Buffer[];
  /** How it ended: the whole body came, the socket ended before that, a TCP reset, or silence. */
  readonly end: 'whole' | 'cut' | 'reset' | 'silence';
  /** All bytes. */
  readonly bytes: Buffer;
}

export interface RawRequest {
  readonly port: number;
  readonly path?: string;
  readonly prompt?: string;
  readonly body?: Record<string, unknown>;
  /** Header lines in place of a key. */
  readonly headers?: readonly string[];
  /** Ends the wait when these bytes are there. */
  readonly until?: string;
  /** Ends the wait after so much silence; a busy machine may keep silent for a while. @defaultValue 1_000 */
  readonly quietMs?: number;
}

/** Posts a chat request over a plain socket and hands out what came back, byte for byte. */
export async function rawRequest(request: RawRequest): Promise<RawAnswer> {
  const { port, path = '/openai/v1/chat/completions', prompt = 'Hello', quietMs = 1_000 } = request;
  const body = JSON.stringify({
    model: 'sim-1',
    max_tokens: 1_000,
    stream: true,
    messages: [{ role: 'user', content: prompt }],
    ...request.body,
  });
  const headers = request.headers ?? ['authorization: Bearer key', 'anthropic-version: 2023-06-01'];
  const socket = connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<'closed' | 'reset' | 'silence'>();
  let quiet = setTimeout(resolve, 10 * quietMs, 'silence');
  socket.on('data', (chunk: Buffer) => {
    received.push(chunk);
    clearTimeout(quiet);
    quiet = setTimeout(resolve, quietMs, 'silence');
    if (request.until === undefined) return;
    const { bytes, body: answered } = parse(Buffer.concat(received), 'silence');
    if (bytes.includes(request.until) || answered.includes(request.until)) resolve('silence');
  });
  socket.on('end', () => resolve('closed'));
  socket.on('error', () => resolve('reset'));
  await once(socket, 'connect');
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: simulator',
    `content-length: ${Buffer.byteLength(body)}`,
    'content-type: application/json',
    ...(request.until === undefined ? ['connection: close'] : []),
    ...headers,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
  const how = await ended;
  clearTimeout(quiet);
  socket.destroy();
  return parse(Buffer.concat(received), how);
}

function parse(bytes: Buffer, how: 'closed' | 'reset' | 'silence'): RawAnswer {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers = lines.join('\n').toLowerCase();
  const rest = bytes.subarray(headEnd < 0 ? bytes.length : headEnd + 4);
  const chunked = headers.includes('transfer-encoding: chunked');
  const isEnded = how === 'closed' && headEnd >= 0;
  const { chunks, complete } = chunked ? unchunk(rest) : { chunks: [rest], complete: isEnded };
  const end = complete ? 'whole' : how === 'closed' ? 'cut' : how;
  return { statusLine, headers, chunks, body: Buffer.concat(chunks), bytes, end };
}

function unchunk(bytes: Buffer): { chunks: Buffer[]; complete: boolean } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { chunks, complete: false };
    const length = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (length === 0) return { chunks, complete: true };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

/** The `data` of each event of a body with LF line ends. */
export function dataOf(body: Buffer): string[] {
  return [...body.toString().matchAll(/^data: ?(.*)$/gm)].map((match) => match[1] ?? '');
}

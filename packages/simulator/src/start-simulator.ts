import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Answering, toErrorScript } from './answer-request.ts';
import { DirectiveError } from './directives.ts';
import { Impositions } from './impositions.ts';
import { play } from './play.ts';
import { RequestLog, type LogEntry, type SimulatedRequest } from './request-log.ts';
import type { Script } from './script.ts';
import { Tickers } from './ticker.ts';
import { Refusal } from './wire/wire.ts';
import { CHAT_WIRES, WIRES } from './wire/wires.ts';

export interface SimulatorOptions {
  /** @defaultValue `127.0.0.1` */
  readonly host?: string;
  /** 0 takes any free port. @defaultValue 0 */
  readonly port?: number;
  /** Folder of recorded provider traffic for `recording=`; without it that directive is refused. */
  readonly recordingsDir?: string;
  /** Milliseconds between the events of a stream where no directive says it. @defaultValue 0 */
  readonly paceMs?: number;
  /** How many requests {@link Simulator.requests} remembers. @defaultValue 1000 */
  readonly logSize?: number;
}

export interface Simulator {
  /** `http://host:port`; providers are below it: `/openai/v1`, `/vllm/v1`, `/anthropic/v1`. */
  readonly url: string;
  readonly port: number;
  /** The latest requests, oldest first. */
  readonly requests: readonly SimulatedRequest[];
  /** Requests under way now, those left hanging included. */
  readonly activeStreams: number;
  /** TCP connections open now. */
  readonly openSockets: number;
  /**
   * Directives, `status=503` for one, for all requests from now on whose path begins with the prefix, with or without its
   * `/sim/…` (`/openai`: the whole provider); `undefined` lifts them. They win over those of path and message, the longest
   * prefix wins over others, and `times` and `every` count anew. Streams under way and requests that are themselves wrong
   * are not touched.
   * @throws DirectiveError
   */
  impose(pathPrefix: string, directives: string | undefined): void;
  /** Cuts every connection and frees the port; nothing is left running. */
  close(): Promise<void>;
}

const PATH = /^(?:\/sim\/(?<directives>[^/]*))?\/(?<provider>openai|vllm|anthropic)\/v1\/(?<route>[a-z_/]+)$/;
const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

/** Starts an HTTP server that answers as OpenAI, vLLM and Anthropic do, says that it is simulated, and fails on demand. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, recordingsDir, paceMs = 0, logSize = 1_000 } = options;
  const log = new RequestLog(logSize);
  const tickers = new Tickers();
  const answering = new Answering({ recordingsDir, paceMs });
  const impositions = new Impositions();
  const sockets = new Set<Socket>();
  let activeStreams = 0;
  let closing = false;

  // Idle sockets outlive every pool's own limit, so that only clients close them; no request is too slow for a test.
  const server = createServer({ keepAliveTimeout: 600_000, requestTimeout: 0, noDelay: true });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const entry = log.open(path, request.headers);
    activeStreams++;
    response.on('close', () => {
      activeStreams--;
      entry.closedAtMs = performance.now();
      if (entry.outcome !== 'open') return;
      entry.outcome = response.writableFinished ? 'answered' : closing ? 'shutdown' : 'client_closed';
    });
    readBody(request, (body) => {
      play(withRequestId(toScript(request, entry, { answering, impositions, body }), entry), {
        response,
        entry,
        tickers,
      });
    });
  });

  server.listen({ host, port, backlog: 4_096 });
  await once(server, 'listening');
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    port: boundPort,
    get requests() {
      return log.entries;
    },
    get activeStreams() {
      return activeStreams;
    },
    get openSockets() {
      return sockets.size;
    },
    impose: (pathPrefix, directives) => impositions.impose(pathPrefix, directives),
    async close() {
      closing = true;
      tickers.close();
      const closed = [once(server, 'close'), ...Array.from(sockets, (socket) => once(socket, 'close'))];
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

interface Answerer {
  readonly answering: Answering;
  readonly impositions: Impositions;
  readonly body: string;
}

function toScript(request: IncomingMessage, entry: LogEntry, { answering, impositions, body }: Answerer): Script {
  const { directives = '', provider, route } = PATH.exec(entry.path)?.groups ?? {};
  const { method } = request;
  const wire = WIRES.find((each) => each.name === provider && each.route === route && each.method === method);
  if (wire === undefined) {
    entry.outcome = 'refused';
    const refusal = new Refusal(`Unknown request URL: ${method} ${entry.path}.`, {
      status: 404,
      type: 'invalid_request_error',
    });
    const chatWire = Object.values(CHAT_WIRES).find(({ name }) => name === provider) ?? CHAT_WIRES.openai;
    return toErrorScript(chatWire, refusal);
  }
  entry.dialect = wire.name;
  entry.body = parseJson(body);
  try {
    const pathDirectives = decodeURIComponent(directives);
    const imposed = impositions.on(entry.path);
    const { headers } = request;
    const answered = answering.answer({ wire, pathDirectives, imposed, headers, body: entry.body });
    entry.directives = answered.directives;
    return answered.script;
  } catch (error) {
    entry.outcome = 'refused';
    if (error instanceof Refusal) return toErrorScript(wire, error);
    if (!(error instanceof DirectiveError || error instanceof URIError)) throw error;
    const facts = { status: 400, type: 'invalid_request_error' };
    return toErrorScript(wire, new Refusal(`Simulator: ${error.message}`, facts));
  }
}

function withRequestId(script: Script, entry: LogEntry): Script {
  const wire = CHAT_WIRES[entry.dialect ?? 'openai'];
  const headers = { server: 'tokenhub-simulator', ...wire.headers(`req_simulated${entry.number}`), ...script.headers };
  return { ...script, headers };
}

/** Calls back with the whole body; never when the client leaves before it is complete. */
function readBody(request: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY_BYTES) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => done(Buffer.concat(chunks).toString()));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

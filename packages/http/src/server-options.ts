import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError, openaiDialect, type ErrorCode } from '@tokenhub/core';
import { LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerError } from './answer-error.ts';
import { createRequestId, requestIdHeaders, requestIdsOf } from './request-ids.ts';

/** Largest request body, in bytes. */
const BODY_LIMIT = 10 * 1024 * 1024;

/** Fastify's options where its defaults would hurt. */
export const SERVER_OPTIONS = {
  bodyLimit: BODY_LIMIT,
  // Some clients put a slash behind every address.
  routerOptions: { ignoreTrailingSlash: true },
  genReqId: createRequestId,
  requestIdHeader: false,
  // A log line per request would cost more than the request does; chats are logged at their end.
  logController: new LogController({ disableRequestLogging: true }),
  // One logger for all requests, since what is logged of one carries its id; making one for each costs more than most routes.
  childLoggerFactory: (logger: FastifyBaseLogger) => logger,
  // No Express middleware here, and so no stack of it to walk for every request.
  skipMiddie: true,
  // Longest wait for a whole request. Answers have no such limit: a stream may take as long as it takes.
  requestTimeout: 30_000,
  keepAliveTimeout: 72_000,
  forceCloseConnections: true,
  http: {
    headersTimeout: 10_000,
    maxHeaderSize: 16 * 1024,
    // By default Node looks only every 30 s for requests that take too long.
    connectionsCheckingInterval: 1_000,
    // A caller whose machine is gone says no goodbye: after 15 s without an answer to the system's own questions it is.
    keepAlive: true,
    keepAliveInitialDelay: 5_000,
  },
  frameworkErrors: answerBadAddress,
  clientErrorHandler: answerMalformedRequest,
} as const;

/** Answers an address that cannot even be decoded; no route, hook or filter is reached with it. */
function answerBadAddress(cause: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = new GatewayError('not_found', 'There is nothing at this address.', { cause });
  reply.hijack();
  const headers = Object.entries(requestIdHeaders(requestIdsOf(request), openaiDialect)).flat();
  answerError(reply.raw, error, { dialect: openaiDialect, requestId: request.id, headers });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};

/** Answers what is not even HTTP, on the bare socket, and closes it. */
function answerMalformedRequest(cause: Error & { code?: string }, socket: Socket): void {
  if (cause.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [code, message] = CLIENT_ERRORS[cause.code ?? ''] ?? [
    'malformed_request',
    'The request is not well-formed HTTP.',
  ];
  const error = new GatewayError(code, message, { cause });
  const { status } = error.facts;
  const body = JSON.stringify(openaiDialect.writeError(error, createRequestId()));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nConnection: close`;
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

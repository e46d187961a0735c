import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { GatewayError, openaiDialect, type ErrorCode } from '@tokenhub/core';
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';

/** Fastify's options where its defaults would hurt. */
export const SERVER_OPTIONS = {
  // Operators poll health and metrics; a line for each would drown the rest
  logController: new LogController({ disableRequestLogging: true }),
  genReqId: createRequestId,
  requestIdHeader: false,
  requestTimeout: 30_000,
  forceCloseConnections: true,
  skipMiddie: true,
  frameworkErrors: answerBadAddress,
  clientErrorHandler: answerMalformedRequest,
} as const;

function createRequestId(): string {
  return `req_${randomBytes(18).toString('base64url')}`;
}

/** Answers an address that cannot even be decoded; no route, hook or filter is reached with it. */
function answerBadAddress(cause: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = new GatewayError('not_found', 'There is nothing at this address.', { cause });
  const answer = reply.status(error.facts.status).header('x-request-id', request.id).type('application/json');
  void answer.send(JSON.stringify(openaiDialect.writeError(error, request.id)));
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

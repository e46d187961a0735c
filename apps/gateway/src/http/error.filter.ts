import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import {
  anthropicDialect,
  GatewayError,
  isGatewayError,
  openaiDialect,
  type Dialect,
  type ErrorCode,
} from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerError } from './answer-error.ts';

/** Fastify's own refusals in our codes. Source: https://fastify.dev/docs/latest/Reference/Errors/ */
const FASTIFY_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as "Content-Type: application/json".'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than 10 MiB.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_request', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: ['not_found', 'There is nothing at this address.'],
};

/** Turns whatever a route or Fastify throws into the one shape of errors. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  /** Which methods an address has; empty where it has none. */
  readonly #methodsAt: (path: string) => readonly string[];

  constructor(methodsAt: (path: string) => readonly string[]) {
    this.#methodsAt = methodsAt;
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    if (reply.raw.headersSent) return;
    const headers = ['X-Request-Id', request.id];
    const error = this.#toGatewayError(exception, request);
    if (error.code === 'internal_error')
      request.log.error({ requestId: request.id, err: exception }, 'a request failed by a fault of ours');
    if (error.code === 'method_not_allowed') headers.push('Allow', this.#methodsAt(pathOf(request)).join(', '));
    if (!reply.sent) reply.hijack();
    answerError(reply.raw, error, { dialect: dialectOf(request), requestId: request.id, headers });
  }

  #toGatewayError(exception: unknown, request: FastifyRequest): GatewayError {
    if (isGatewayError(exception)) return exception;
    // Nest wraps what Fastify throws before a route is reached.
    const cause: unknown = exception instanceof HttpException ? (exception.cause ?? exception) : exception;
    if (isGatewayError(cause)) return cause;
    if (exception instanceof HttpException && exception.getStatus() === 404) {
      const methods = this.#methodsAt(pathOf(request));
      return methods.length > 0
        ? new GatewayError('method_not_allowed', `This address takes ${methods.join(', ')}.`)
        : new GatewayError('not_found', 'There is nothing at this address. GET /openapi.json lists what there is.');
    }
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
    const known = FASTIFY_ERRORS[code];
    if (known !== undefined) return new GatewayError(known[0], known[1], { cause: exception });
    return new GatewayError('internal_error', 'Something went wrong here.', { cause: exception });
  }
}

/** Errors of a route come in the dialect that its callers read. */
function dialectOf(request: FastifyRequest): Dialect {
  return pathOf(request).endsWith('/v1/messages') ? anthropicDialect : openaiDialect;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

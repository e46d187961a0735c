import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { GatewayError, isGatewayError, openaiDialect, type ErrorCode } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteTable } from './route-table.ts';

/** Fastify's own refusals in our codes. Source: https://fastify.dev/docs/latest/Reference/Errors/ */
const FASTIFY_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as "Content-Type: application/json".'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body is not JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is too large.'],
  FST_ERR_BAD_URL: ['not_found', 'There is nothing at this address.'],
};

/** Turns whatever a route or Fastify throws into the one shape of errors. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #routes: RouteTable;

  constructor(routes: RouteTable) {
    this.#routes = routes;
  }

  async catch(exception: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = this.#toGatewayError(exception, request);
    if (error.code === 'internal_error') {
      request.log.error({ requestId: request.id, err: exception }, 'a request failed by a fault of ours');
    }
    if (error.facts.status === 401) reply.header('www-authenticate', 'Bearer');
    if (error.facts.status === 503) reply.header('retry-after', '1');
    if (error.code === 'method_not_allowed') reply.header('allow', this.#routes.methodsAt(pathOf(request)).join(', '));
    reply.header('x-request-id', request.id);
    await reply.status(error.facts.status).send(openaiDialect.writeError(error, request.id));
  }

  #toGatewayError(exception: unknown, request: FastifyRequest): GatewayError {
    if (isGatewayError(exception)) return exception;
    // Nest wraps what Fastify throws before a route is reached
    const cause: unknown = exception instanceof HttpException ? (exception.cause ?? exception) : exception;
    if (isGatewayError(cause)) return cause;
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
    const known = FASTIFY_ERRORS[code];
    if (known !== undefined) return new GatewayError(known[0], known[1], { cause: exception });
    if (exception instanceof HttpException && exception.getStatus() === 404) {
      const methods = this.#routes.methodsAt(pathOf(request));
      return methods.length > 0
        ? new GatewayError('method_not_allowed', `This address takes ${methods.join(', ')}.`)
        : new GatewayError('not_found', 'There is nothing at this address.');
    }
    return new GatewayError('internal_error', 'Something went wrong here.', { cause: exception });
  }
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? '';
}

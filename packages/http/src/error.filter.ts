import type { IncomingHttpHeaders } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { GatewayError, isGatewayError, openaiDialect, type Dialect, type ErrorCode } from '@tokenhub/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerError } from './answer-error.ts';
import { requestIdHeaders, requestIdsOf } from './request-ids.ts';
import type { RouteTable } from './route-table.ts';

/** Fastify's own refusals in our codes. Source: https://fastify.dev/docs/latest/Reference/Errors/ */
const FASTIFY_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as "Content-Type: application/json".'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty. Send a JSON object.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than 10 MiB.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_request', 'The body is not as long as Content-Length says.'],
};

export interface ErrorFilterOptions {
  readonly routes: RouteTable;
  /** The dialect that whoever sends these headers to this address reads; by default OpenAI's. */
  readonly dialectOf?: (path: string, headers: IncomingHttpHeaders) => Dialect;
}

/** Turns whatever a route or Fastify throws into the one shape of errors. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #routes: RouteTable;
  readonly #dialectOf: NonNullable<ErrorFilterOptions['dialectOf']>;

  constructor({ routes, dialectOf = () => openaiDialect }: ErrorFilterOptions) {
    this.#routes = routes;
    this.#dialectOf = dialectOf;
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    // Of one who left in the middle of sending nobody reads an answer, and it is no fault of ours.
    if (reply.raw.headersSent || (request.raw.destroyed && !request.raw.complete)) return;
    const path = request.url.split('?', 1)[0] ?? '';
    const requestId = request.id;
    const error = this.#toGatewayError(exception, path);
    if (error.code === 'internal_error')
      request.log.error({ requestId, err: exception }, 'a request failed by a fault of ours');
    const dialect = this.#dialectOf(path, request.headers);
    const headers = Object.entries(requestIdHeaders(requestIdsOf(request), dialect)).flat();
    if (error.code === 'method_not_allowed') headers.push('Allow', this.#routes.methodsAt(path).join(', '));
    if (!reply.sent) reply.hijack();
    answerError(reply.raw, error, { dialect, requestId, headers });
  }

  #toGatewayError(exception: unknown, path: string): GatewayError {
    if (isGatewayError(exception)) return exception;
    // Nest wraps what Fastify throws before a route is reached.
    const cause: unknown = exception instanceof HttpException ? (exception.cause ?? exception) : exception;
    if (isGatewayError(cause)) return cause;
    const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
    const known = FASTIFY_ERRORS[code];
    if (known !== undefined) return new GatewayError(known[0], known[1], { cause });
    if (exception instanceof HttpException && exception.getStatus() === 404) {
      const methods = this.#routes.methodsAt(path);
      return methods.length > 0
        ? new GatewayError('method_not_allowed', `This address takes ${methods.join(', ')}.`)
        : new GatewayError('not_found', 'There is nothing at this address.');
    }
    return new GatewayError('internal_error', 'Something went wrong here.', { cause: exception });
  }
}

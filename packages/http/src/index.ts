export { answerError, type ErrorContext } from './answer-error.ts';
export { ErrorFilter, type ErrorFilterOptions } from './error.filter.ts';
export { createRequestId, requestIdHeaders, requestIdsOf, type RequestIds } from './request-ids.ts';
export { collectRoutes, type RouteTable } from './route-table.ts';
export { SERVER_OPTIONS } from './server-options.ts';

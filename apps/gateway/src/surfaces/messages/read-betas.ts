import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError, type ChatRequest } from '@tokenhub/core';

const MAX_BETAS = 32;

/**
 * The request with the beta features that its caller switches on by the header `anthropic-beta`. They go to providers of
 * Anthropic's own API only; for others they are hints that are dropped.
 * @throws GatewayError `invalid_parameter` for names that are none.
 */
export function readBetas(request: ChatRequest, headers: IncomingHttpHeaders): ChatRequest {
  const header = headers['anthropic-beta'];
  const text = Array.isArray(header) ? header.join(',') : header;
  if (text === undefined || text.trim() === '') return request;
  const betas = text.split(',').map((name) => name.trim());
  if (betas.length > MAX_BETAS || !betas.every((name) => /^[\w.-]{1,100}$/.test(name))) {
    const message = `The header anthropic-beta must be a list of at most ${MAX_BETAS} names of features.`;
    throw new GatewayError('invalid_parameter', message, { param: 'anthropic-beta' });
  }
  const losses = [...request.losses, { path: 'anthropic-beta', isHint: true as const }];
  return { ...request, source: { ...request.source, betas }, losses };
}

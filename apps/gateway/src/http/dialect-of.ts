import type { IncomingHttpHeaders } from 'node:http';
import { anthropicDialect, openaiDialect, type Dialect } from '@tokenhub/core';
import { readsAnthropicModels } from '../surfaces/models/anthropic-models.ts';

/** The dialect that the callers of an address read, for all that is no answer of a model: errors, lists, ids of requests. */
export function dialectOf(path: string, headers: IncomingHttpHeaders): Dialect {
  const isAnthropic =
    /^\/(?:anthropic\/|v1\/messages(?:\/|$))/.test(path) ||
    (/^\/v1\/models(?:\/|$)/.test(path) && readsAnthropicModels(path, headers));
  return isAnthropic ? anthropicDialect : openaiDialect;
}

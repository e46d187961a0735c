import type { JsonObject } from '../../chat/json.ts';
import { isGiven, type RequestReading } from '../request-reading.ts';

/** What items say of themselves where nothing is special: the model itself made the call, and waits for its result. */
const DEFAULTS: JsonObject = { caller: { type: 'direct' }, async: false };

/**
 * The members of a caller's item, or of a part of one, for which there are no neutral words. What it is and is called, and
 * how far it had come, means nothing to the model; where a message stands in the turn, and where to cache, are hints.
 */
export function readRest(members: JsonObject, path: string, reading: RequestReading): void {
  const { type: _, id: _id, status: _status, phase, prompt_cache_breakpoint: breakpoint, ...rest } = members;
  for (const [name, hint] of Object.entries({ phase, prompt_cache_breakpoint: breakpoint })) {
    if (isGiven(hint)) reading.hint(`${path}.${name}`);
  }
  reading.rest(rest, path, DEFAULTS);
}

/** The same for what the model said. */
export function readOwnRest(members: JsonObject, path: string, reading: RequestReading): void {
  const { type: _, id: _id, status: _status, ...rest } = members;
  reading.restOfAnswer(rest, path, DEFAULTS);
}

import type { JsonObject } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import { GatewayError } from '../../errors.ts';
import { isGiven } from '../request-reading.ts';
import { readInlineError } from '../openai-errors/read-error.ts';
import { readUsage } from './usage.ts';

/**
 * What of an answer is of use to the bill; the vectors have no neutral words.
 * @throws GatewayError `upstream_protocol` for an answer without vectors; what `readInlineError` makes of an error that
 * came with status 200.
 */
export function readAnswer(answer: JsonObject): StreamPart[] {
  const { data, error, id, model, created } = answer;
  if (!Array.isArray(data)) {
    if (isGiven(error)) throw readInlineError(error);
    throw new GatewayError('upstream_protocol', 'The provider sent an answer without embeddings.');
  }
  const usage = readUsage(answer);
  return [
    {
      type: 'start',
      ...(typeof id === 'string' && { id }),
      ...(typeof model === 'string' && { model }),
      ...(typeof created === 'number' && { created }),
    },
    ...(usage === undefined ? [] : [{ type: 'usage' as const, usage }]),
    { type: 'finish', choice: 0, reason: { unified: 'stop', raw: 'stop' } },
  ];
}

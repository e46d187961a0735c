import type { ReasoningRequest } from '../chat/chat-request.ts';
import type { JsonValue } from '../chat/json.ts';
import type { RequestReading } from './request-reading.ts';

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** An effort in words; one that is not known is lost. */
export function readEffort(value: JsonValue, path: string, reading: RequestReading): ReasoningRequest {
  const word = reading.text(value, path);
  const effort = EFFORTS.find((known) => known === word);
  if (effort === undefined) reading.lose(path);
  return effort === undefined ? {} : { effort };
}

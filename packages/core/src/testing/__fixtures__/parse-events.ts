import type { JsonObject } from '../../chat/json.ts';
import type { StreamPart } from '../../chat/stream-part.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { createSseParser, type SseEvent } from '../../sse/parse-sse.ts';

export function parseEvents(stream: string): SseEvent[] {
  const events: SseEvent[] = [];
  createSseParser({ onEvent: (event) => events.push(event) }).push(new TextEncoder().encode(stream));
  return events;
}

/** The events of a stream in which every event is JSON. */
export function parseJsonEvents(stream: string): JsonObject[] {
  return parseEvents(stream).map(({ data }): JsonObject => JSON.parse(data));
}

export function readStream(dialect: Dialect, stream: string): StreamPart[] {
  const parts: StreamPart[] = [];
  const reader = dialect.createStreamReader();
  for (const { event, data } of parseEvents(stream)) reader.read(event, data, (part) => parts.push(part));
  return parts;
}

/** The bytes of a stream, cut at these places. */
export function chunk(stream: string, places: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(stream);
  const sorted = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...sorted].map((start, i) => bytes.subarray(start, sorted[i] ?? bytes.length));
}

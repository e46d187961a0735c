import type { SseLimits } from './limits.ts';
import { createSseParser, type SseEvent } from './parse-sse.ts';

/**
 * The events of a body, as in `for await (const { data } of parseSseStream(response.body))`. Leaving the loop closes the
 * body.
 * @throws GatewayError `upstream_protocol` when a line or event is past its limit, after all events before it.
 */
export async function* parseSseStream(
  body: AsyncIterable<Uint8Array>,
  limits: SseLimits = {},
): AsyncGenerator<SseEvent, void, undefined> {
  let events: SseEvent[] = [];
  const parser = createSseParser({ ...limits, onEvent: (event) => events.push(event) });
  for await (const bytes of body) {
    try {
      parser.push(bytes);
    } finally {
      // Also on the way out with an error: events that came before it are whole.
      yield* events;
      events = [];
    }
  }
}

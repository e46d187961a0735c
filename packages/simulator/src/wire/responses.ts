import type { Answer, Ask } from '../answer.ts';
import { openaiWire } from './openai.ts';
import { readResponsesRequest } from './read-responses-request.ts';
import { toBegunResponse, toEndedResponse } from './response-object.ts';
import { spellResponseEvent, toResponseStream } from './responses-stream.ts';
import { Refusal, type StreamFailure, type Wire } from './wire.ts';

/** So many events come before anything is answered. */
const OPENING_EVENTS = 2;
const FAILURE = 'The server had an error while processing your request. Sorry about that! [simulated]';

/** OpenAI's responses. Source: https://platform.openai.com/docs/api-reference/responses */
export const responsesWire: Wire = {
  ...openaiWire,
  route: 'responses',
  repeatsRequest: true,
  readRequest: readResponsesRequest,
  writeStream: toResponseStream,
  writeAnswer: (answer, ask) => JSON.stringify(toEndedResponse(answer, ask), null, 2),

  /** An `error` of its own, or the failure of a response whose output is under way. */
  writeStreamError({ answer, ask, eventsBefore }: StreamFailure) {
    const event =
      eventsBefore < OPENING_EVENTS
        ? { type: 'error', code: 'server_error', message: FAILURE, param: null }
        : { type: 'response.failed', response: toFailedResponse(answer, ask) };
    return spellResponseEvent(event, eventsBefore);
  },

  writeRawDelta: (text) =>
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":0,' +
    `"item_id":"msg_sim","output_index":0,"content_index":0,"delta":"${text}","logprobs":[]}\n\n`,

  contextRefusal: new Refusal(
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
    { status: 400, type: 'invalid_request_error', param: 'input', code: 'context_length_exceeded' },
  ),
};

function toFailedResponse(answer: Answer, ask: Ask): Record<string, unknown> {
  return { ...toBegunResponse(answer, ask), status: 'failed', error: { code: 'server_error', message: FAILURE } };
}

import * as fc from 'fast-check';
import type { JsonObject } from '../../chat/json.ts';

/** Texts that look like the formats they travel in, or that cut a character in two. */
const TRAPS = [
  'data: [DONE]\n\n',
  'event: error\r\ndata: {}\r\n\r\n',
  '"}}],"finish_reason":"stop"',
  '","logprobs":null,"finish_reason":null}]}',
  '\\"\\u0000\\',
  '\u0000\u001f\u007f\u2028\u2029',
  '\ufeff\ufffe',
  '\ud83d',
  '\ude00',
  '👩‍👩‍👧',
  ' ',
];

/** A text of any Unicode, which may be empty. */
export const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom(...TRAPS));

/** The same, not empty. */
export const someText = anyText.map((text) => (text === '' ? '…' : text));

export const base64 = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));

/** What every dialect takes as the name of a tool. */
export const toolName = fc.stringMatching(/^[a-zA-Z_-][a-zA-Z0-9_-]{0,20}$/);

/** Names of members, some of which mean something elsewhere. */
const memberName = fc.oneof(someText, fc.constantFrom('base_url', 'type', 'schema', 'cache_control', 'strict', 'null'));

/** A JSON object of the caller's own, as `JSON.parse` gives it. */
export const jsonObject: fc.Arbitrary<JsonObject> = fc
  .dictionary(memberName, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3, noNullPrototype: true })
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)));

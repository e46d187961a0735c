// Reads a stream of server-sent events that arrives in pieces of any size. Nothing but the parser is used.
import { parseSseStream } from '@tokenhub/core/sse';

const text = 'data: {"choices":[{"delta":{"content":"Grüße"},"index":0}]}\n\n: a comment\n\ndata: [DONE]\n\n';

/** The bytes one by one, as the worst network would bring them: in the midst of characters, of lines, of events. */
async function* oneByOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte);
}

for await (const { data } of parseSseStream(oneByOne(new TextEncoder().encode(text)))) {
  process.stdout.write(`${data}\n`);
}

import { expect, test } from 'vitest';
import { parseSseStream } from './parse-sse-stream.ts';

const encoder = new TextEncoder();

test('yields the events of a fetch body', async () => {
  const body = new Response('event: a\ndata: 1\n\ndata: 2\n\ndata: never ended\n').body ?? missing();
  const data: string[] = [];
  for await (const event of parseSseStream(body)) data.push(`${event.event} ${event.data}`);
  expect(data).toEqual(['a 1', 'message 2']);
});

test('yields the events before a line past its limit, then throws', async () => {
  const body = new Response('data: 1\n\ndata: 2\n\ndata: too long\n\n').body ?? missing();
  const data: string[] = [];
  const reading = (async () => {
    for await (const event of parseSseStream(body, { maxLineBytes: 10 })) data.push(event.data);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'upstream_protocol' });
  expect(data).toEqual(['1', '2']);
});

test('closes the body when its reader leaves the loop', async () => {
  let closed = false;
  async function* body() {
    try {
      for (;;) yield encoder.encode('data: 1\n\n');
    } finally {
      closed = true;
    }
  }
  for await (const event of parseSseStream(body())) if (event.data === '1') break;
  expect(closed).toBe(true);
});

function missing(): never {
  throw new Error('a response made from text has a body');
}

import type { Script } from '../../undici/__fixtures__/test-server.ts';

/** One chunk of OpenAI's dialect. */
export function chunk(delta: object, finishReason: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`;
}

export const ROLE = chunk({ role: 'assistant', content: '' });
export const HELLO = chunk({ content: 'Hello' });
export const STOP = chunk({}, 'stop');
export const DONE = 'data: [DONE]\n\n';
export const INLINE_ERROR = 'data: {"error":{"message":"secret host 10.0.0.1","type":"server_error"}}\n\n';

/** Events that are named after their type, as those of Anthropic and of the responses API. */
export function named(events: readonly { readonly type: string; readonly [member: string]: unknown }[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

const ANSWER = {
  id: 'c',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
};

/** A good answer that is not streamed, as JSON text. */
export const WHOLE = JSON.stringify(ANSWER);

/** A good answer, streamed or whole. */
export const good = stream(ROLE, HELLO, STOP, DONE);
export const goodWhole = json(200, ANSWER);

/** A stream of these events that ends well. */
export function stream(...events: string[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(event);
    response.end();
  };
}

/** A stream of these events, and then nothing more, for ever. */
export function hang(...events: string[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (events.length > 0) response.write(events.join(''));
  };
}

/** An answer that begins like this and goes on with this text every 20 ms, for ever or until somebody ends it. */
export function keepSending(beginning: string, more: string): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (beginning !== '') response.write(beginning);
    const timer = setInterval(() => {
      if (!response.writableEnded) response.write(more);
    }, 20);
    response.on('close', () => clearInterval(timer));
  };
}

/** A stream of these events that is cut off within its body. */
export function cut(...events: string[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.join(''), () => setTimeout(() => response.socket?.destroy(), 20));
  };
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Script {
  return text(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

export function text(status: number, body: string, headers: Record<string, string> = {}): Script {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** An error answer as OpenAI writes it. */
export function refuse(status: number, error: object = { message: 'secret', type: 'x', code: null }): Script {
  return json(status, { error });
}

/** Takes the request and says nothing. */
export const silent: Script = () => {};

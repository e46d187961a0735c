// A chat server of one's own, on node:http and core alone: routes, fails over, streams, stops when its caller leaves.
// It needs no key: both providers are simulated, and the cheap one answers 503 to everything.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import * as core from '@tokenhub/core';
import { createUndiciHttpClient } from '@tokenhub/core/undici';
import { startSimulator } from '@tokenhub/simulator';

// Once in a process: where the models are, and how they do.
const simulator = await startSimulator();
const http = createUndiciHttpClient({ origin: simulator.url, allowPrivate: true });
const now = (): number => performance.now();
const credential = core.staticCredential('simulated', now);
const shared = { credential, http, timeouts: { firstEventMs: 10_000, wholeAnswerMs: 300_000, progressMs: 600_000 } };
const broken = new URL('/sim/status=503/openai/v1/', simulator.url);
const candidates: core.Candidate[] = [
  {
    id: 'cheap@openai',
    model: { id: 'cheap', weight: 6, price: core.parsePrice({ input: '1', output: '4' }) },
    provider: core.createOpenai({ ...shared, id: 'openai', baseUrl: broken }),
    upstreamModel: 'gpt-4o-mini',
  },
  {
    id: 'dear@anthropic',
    model: { id: 'dear', weight: 8, price: core.parsePrice({ input: '3', output: '15' }), maxOutputTokens: 8192 },
    provider: core.createAnthropic({ ...shared, id: 'anthropic', baseUrl: new URL('/anthropic/', simulator.url) }),
    upstreamModel: 'claude-sonnet-4',
  },
];
const health = core.createHealth({ now });
const retryBudget = core.createRetryBudget();
const onFailedAttempt = ({ candidate, error }: core.Attempt): void =>
  console.log(`${candidate.candidate.id}: ${error.code}`);

/** Finds who answers, and gives the answer once it has begun. */
function open(request: core.ChatRequest, requestId: string, signal: AbortSignal): Promise<core.Completion> {
  const inputTokens = core.estimateInput(request).likely;
  const outputTokens = Math.min(request.maxOutputTokens ?? 512, 512);
  const wishes = { model: request.model, allowModelFallback: true, mode: 'normal' } as const;
  const { ranked } = core.rank(candidates, { ...wishes, inputTokens, outputTokens }, health);
  if (ranked.length === 0) throw new core.GatewayError('no_upstream', 'No model can serve this now.');
  const bill = core.createBill(inputTokens, request.choices);
  const terms = { answerDialect: core.openaiDialect, maxAttempts: 3, retryBudget, health, now, onFailedAttempt };
  return core.openCompletion({ ...terms, request, ranked, requestId, signal, bill });
}

/** Writes a stream as it comes and no faster than the caller reads. */
async function relay(stream: core.OpenStream, response: ServerResponse, signal: AbortSignal): Promise<void> {
  let complete = false;
  try {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    for await (const piece of stream.output) {
      if (!response.write(piece)) await once(response, 'drain', { signal });
    }
    complete = true;
    response.end(stream.end(stream.receipt(true)));
  } finally {
    const { counts, cost } = stream.receipt(complete);
    console.log(`${stream.served.candidate.id}: ${counts.completionTokens} tokens, ${core.formatUsd(cost.total)} USD`);
  }
}

/** Answers one request: in full, or with one error. */
async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  const caller = new AbortController();
  response.once('close', () => caller.abort(new core.GatewayError('client_cancelled', 'The caller left.')));
  try {
    const body = await json(incoming).catch(() => undefined);
    if (!core.isJsonObject(body)) throw new core.GatewayError('invalid_request', 'The body must be a JSON object.');
    const completion = await open(core.openaiDialect.readRequest(body), requestId, caller.signal);
    if (completion.streamed) await relay(completion, response, caller.signal);
    else response.writeHead(200, { 'Content-Type': 'application/json' }).end(completion.body);
  } catch (cause) {
    if (response.destroyed) return;
    const isOurs = core.isGatewayError(cause);
    const error = isOurs ? cause : new core.GatewayError('internal_error', 'Something went wrong.', { cause });
    if (response.headersSent) response.end(core.openaiDialect.writeStreamError(error, requestId));
    else response.writeHead(error.facts.status).end(JSON.stringify(core.openaiDialect.writeError(error, requestId)));
  }
}

const server = createServer((incoming, response) => void serve(incoming, response)).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' ? address?.port : undefined;

// The caller: any HTTP client of OpenAI's format. Here it is us.
const messages = [{ role: 'user', content: 'Tell me a short story.' }];
const answer = await fetch(`http://127.0.0.1:${port}/`, {
  method: 'POST',
  body: JSON.stringify({ messages, stream: true }),
});
let text = '';
const reader = core.openaiDialect.createStreamReader();
for await (const { event, data } of core.parseSseStream(answer.body ?? new ReadableStream())) {
  reader.read(event, data, (part) => void (text += part.type === 'text-delta' ? part.text : ''));
}
console.log(`${answer.status}: ${text}`);

server.close();
await http.close();
await simulator.close();

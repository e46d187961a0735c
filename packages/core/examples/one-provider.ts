// Asks one provider and prints its answer as it comes. With OPENAI_API_KEY that is OpenAI, else a simulation of it.
import { createOpenai, staticCredential } from '@tokenhub/core';
import { parseSseStream } from '@tokenhub/core/sse';
import { createUndiciHttpClient } from '@tokenhub/core/undici';
import { startSimulator } from '@tokenhub/simulator';

const apiKey = process.env['OPENAI_API_KEY'];
const simulator = apiKey === undefined ? await startSimulator() : undefined;
const baseUrl = new URL(simulator === undefined ? 'https://api.openai.com/v1/' : `${simulator.url}/openai/v1/`);

const http = createUndiciHttpClient({ origin: baseUrl.origin, allowPrivate: simulator !== undefined });
const provider = createOpenai({
  id: 'openai',
  baseUrl,
  credential: staticCredential(apiKey ?? 'simulated', () => performance.now()),
  http,
  timeouts: { firstEventMs: 30_000, wholeAnswerMs: 300_000, progressMs: 600_000 },
});

const [endpoint] = provider.endpoints;
const answer = await endpoint.open({
  secret: await provider.credential.load(),
  body: JSON.stringify({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: 'Tell me a short story.' }],
    stream: true,
  }),
  requestId: 'example-1',
  signal: AbortSignal.timeout(60_000),
  headersTimeoutMs: 30_000,
});
if (answer.status !== 200) throw new Error(`the provider answered ${answer.status}`);

// A dialect's reader turns the provider's events into parts that mean the same whoever sent them.
const reader = endpoint.dialect.createStreamReader();
for await (const { event, data } of parseSseStream(answer.body)) {
  if (data === '[DONE]') break;
  reader.read(event, data, (part) => {
    if (part.type === 'text-delta') process.stdout.write(part.text);
    if (part.type === 'finish') process.stdout.write('\n');
  });
}

await http.close();
await simulator?.close();

// Ranks two models for a request, and lets the second serve when the best one is out of order.
// It needs no key: both providers are simulated, and the first one answers 503 to everything.
import {
  createBill,
  createHealth,
  createVllm,
  estimateInput,
  formatUsd,
  openaiDialect,
  openCompletion,
  parsePrice,
  rank,
  staticCredential,
  type Candidate,
} from '@tokenhub/core';
import { createUndiciHttpClient } from '@tokenhub/core/undici';
import { startSimulator } from '@tokenhub/simulator';

const simulator = await startSimulator();
const http = createUndiciHttpClient({ origin: simulator.url, allowPrivate: true });
const now = (): number => performance.now();
const health = createHealth({ now });

function createCandidate(id: string, path: string, price: { input: string; output: string }): Candidate {
  const baseUrl = new URL(`${path}/vllm/v1/`, simulator.url);
  const credential = staticCredential('simulated', now);
  const timeouts = { firstEventMs: 10_000, wholeAnswerMs: 300_000, progressMs: 600_000 };
  return {
    id: `${id}@simulated`,
    model: { id, weight: 8, price: parsePrice(price) },
    provider: createVllm({ id: 'simulated', baseUrl, credential, http, timeouts }),
    upstreamModel: id,
  };
}

const request = openaiDialect.readRequest({
  messages: [{ role: 'user', content: 'Tell me a short story.' }],
  stream: true,
});
const inputTokens = estimateInput(request).likely;
const { ranked } = rank(
  [
    createCandidate('dear', '', { input: '10', output: '30' }),
    createCandidate('cheap', '/sim/status=503', { input: '1', output: '3' }),
  ],
  { inputTokens, outputTokens: 512, mode: 'normal', allowModelFallback: true },
  health,
);
for (const { candidate, score } of ranked) process.stdout.write(`${candidate.id} scores ${score.toFixed(3)}\n`);

const completion = await openCompletion({
  request,
  ranked,
  requestId: 'example-1',
  answerDialect: openaiDialect,
  maxAttempts: 3,
  signal: AbortSignal.timeout(60_000),
  bill: createBill(inputTokens, request.choices),
  health,
  now,
  onFailedAttempt: ({ candidate: ranking, status }) =>
    process.stdout.write(`${ranking.candidate.id} answered ${status}\n`),
});
process.stdout.write(`${completion.served.candidate.id} serves\n`);
if (completion.streamed) {
  let bytes = 0;
  for await (const output of completion.output) bytes += output.length;
  process.stdout.write(`${bytes} bytes for ${formatUsd(completion.receipt(true).cost.total)} USD\n`);
}

await http.close();
await simulator.close();

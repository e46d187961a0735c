// Anthropic's own client, with another address and key. Usage, with Node 24 or newer, else with `pnpm exec` in front of `node`:
// TOKENHUB_API_KEY=tokenhub_… node examples/anthropic-sdk.ts
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({
  apiKey: process.env['TOKENHUB_API_KEY'] ?? '',
  baseURL: process.env['TOKENHUB_URL'] ?? 'http://127.0.0.1:8080',
});

// Any model: gpt-4 is not Anthropic's, and is read in its format all the same.
for (const model of ['claude-opus', 'gpt-4']) {
  const stream = client.messages.stream({
    model,
    max_tokens: 1024,
    messages: [{ role: 'user', content: 'Tell me a short story.' }],
  });
  stream.on('text', (text) => process.stdout.write(text));
  const { usage, stop_reason: stopReason } = await stream.finalMessage();
  process.stdout.write(`\n${model}: ${usage.input_tokens} tokens in, ${usage.output_tokens} out, ${stopReason}\n`);
}

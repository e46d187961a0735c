// OpenAI's own client, with another address and key. Usage, with Node 24 or newer, else with `pnpm exec` in front of `node`:
// TOKENHUB_API_KEY=tokenhub_… node examples/openai-sdk.ts
import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: process.env['TOKENHUB_API_KEY'],
  baseURL: `${process.env['TOKENHUB_URL'] ?? 'http://127.0.0.1:8080'}/v1`,
});

// A model of Anthropic's, read in OpenAI's format.
const story = await client.chat.completions.create({
  model: 'claude-sonnet-4',
  messages: [{ role: 'user', content: 'Explain quantum computing' }],
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of story) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? '');
  // The client stops reading at [DONE], before the cost comment; the usage chunk has the same figure.
  if (chunk.usage && 'cost' in chunk.usage) process.stdout.write(`\ncost: ${String(chunk.usage.cost)} USD\n`);
}

// Reasoning comes before the answer, in a member that OpenAI's types do not know.
const solution = await client.chat.completions.create({
  model: 'deepseek-reasoner',
  messages: [{ role: 'user', content: 'Solve this step by step: 15! / 13!' }],
  stream: true,
});
let reasoning = '';
let answer = '';
for await (const chunk of solution) {
  const delta = chunk.choices[0]?.delta;
  if (delta && 'reasoning_content' in delta) reasoning += String(delta.reasoning_content);
  answer += delta?.content ?? '';
}
process.stdout.write(`reasoning: ${reasoning.length} characters, answer: ${answer.length} characters\n`);

// Leaving early ends the provider's work at once, and only what came is paid for.
const essay = await client.chat.completions.create({
  model: 'deepseek-chat',
  messages: [{ role: 'user', content: 'Write a long essay' }],
  stream: true,
});
for await (const chunk of essay) {
  process.stdout.write(`first words of the essay: ${chunk.choices[0]?.delta.content ?? ''}\n`);
  essay.controller.abort();
  break;
}

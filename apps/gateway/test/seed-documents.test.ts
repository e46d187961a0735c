import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const run = promisify(execFile);

// Models as the two pages name them, and the first page's pick for a request that names none.
const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
  - { id: vllm, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
models:
  - { id: gpt-4, weight: 8, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
  - { id: claude-sonnet-4, weight: 7, max_output_tokens: 64000, deployments: [{ provider: anthropic, model: claude-sonnet-4 }], price: { input: "3.00", output: "15.00" } }
  - { id: deepseek-chat, weight: 6, deployments: [{ provider: vllm, model: deepseek-chat }], price: { input: "0.27", output: "1.10" } }
  - { id: deepseek-reasoner, weight: 6, deployments: [{ provider: vllm, model: deepseek-reasoner }], price: { input: "0.55", output: "2.19" } }
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
routing: { mode: high_confidence, auto_models: [gpt-4] }
`;

let hub: TestGateway;
let alltoken: OpenAI;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG, simulator: { paceMs: 5 } });
  alltoken = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
});
afterAll(() => hub.close());

describe('the examples of the TokenHub page', () => {
  const body = '{"request": {"messages": [{"role": "user", "content": "Count from 1 to 10 slowly."}], "stream": true}}';

  it('its curl line prints the events as the page shows them', async () => {
    const { stdout } = await run('curl', [
      '-sN',
      '-i',
      '-X',
      'POST',
      `${hub.url}/v1/chat`,
      '-H',
      'Content-Type: application/json',
      '-H',
      `Authorization: Bearer ${KEY}`,
      '-d',
      body,
    ]);
    const [head = '', ...events] = stdout.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK/);
    for (const header of [
      'Content-Type: text/event-stream',
      'Cache-Control: no-cache',
      'Connection: keep-alive',
      'X-TokenHub-Model: gpt-4',
      'X-TokenHub-Provider: openai',
      'X-TokenHub-Reason: routed-weight-8',
    ])
      expect(head.split('\r\n')).toContain(header);
    const lines = events
      .join('')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.filter((line) => line.startsWith('data: ')).at(-1)).toBe('data: [DONE]');
    expect(lines.at(-1)).toMatch(/^: \{"cost":"/);
  });

  it('its Python reader prints the answer', async () => {
    // The page uses `requests`; the loop over lines is the page's own, on the standard library.
    const program = `
import json, sys, urllib.request
request = urllib.request.Request("${hub.url}/v1/chat", method="POST", data=sys.argv[1].encode(),
    headers={"Content-Type": "application/json", "Authorization": "Bearer ${KEY}"})
for line in (raw.rstrip(b"\\r\\n") for raw in urllib.request.urlopen(request)):
    if line:
        text = line.decode("utf-8")
        if text.startswith("data: ") and text != "data: [DONE]":
            chunk = json.loads(text[6:])
            delta = chunk["choices"][0].get("delta", {})
            if "content" in delta:
                print(delta["content"], end="", flush=True)
`;
    const { stdout, stderr } = await run('python3', ['-c', program, body]);
    expect(stderr).toBe('');
    expect(stdout).toContain('1');
    expect(stdout).toContain('10');
  });

  it('tokens arrive as they are generated, not at the end', async () => {
    const response = await hub.post('/v1/chat', {
      request: {
        messages: [{ role: 'user', content: 'Tell me a story... [simulate tokens=8 pace=40]' }],
        stream: true,
      },
    });
    const arrivals: number[] = [];
    for await (const chunk of response.body ?? []) if (chunk.length > 0) arrivals.push(performance.now());
    // Eight tokens 40 ms apart: nearly all come alone.
    expect(arrivals.length).toBeGreaterThanOrEqual(7);
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(200);
  });
});

describe('the examples of the AllToken page', () => {
  it('its basic usage streams a Claude model', async () => {
    const stream = await alltoken.chat.completions.create({
      model: 'claude-sonnet-4',
      messages: [{ role: 'user', content: 'Explain quantum computing' }],
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta?.content;
      if (content) text += content;
    }
    expect(text).toContain('[simulated]');
  });

  it('its thinking mode streams the reasoning apart from the answer', async () => {
    const stream = await alltoken.chat.completions.create({
      model: 'deepseek-reasoner',
      messages: [{ role: 'user', content: 'Solve this step by step: 15! / 13!' }],
      stream: true,
    });
    const order: string[] = [];
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined;
      if (delta?.reasoning_content) order.push('reasoning');
      if (delta?.content) order.push('answer');
    }
    expect(order).toContain('reasoning');
    expect(order.lastIndexOf('reasoning')).toBeLessThan(order.indexOf('answer'));
  });

  it('its AbortController cancels the stream and the provider', async () => {
    const controller = new AbortController();
    const stream = await alltoken.chat.completions.create(
      {
        model: 'deepseek-chat',
        messages: [{ role: 'user', content: 'Write a long essay [simulate tokens=2000 pace=20]' }],
        stream: true,
      },
      { signal: controller.signal },
    );
    let chunks = 0;
    for await (const _chunk of stream) {
      chunks++;
      if (chunks === 5) controller.abort();
    }
    expect(chunks).toBeLessThan(20);
    await expect.poll(() => hub.simulator.activeStreams, { timeout: 10_000 }).toBe(0);
  });

  it('its cost comment has amounts of this call that add up', async () => {
    const response = await hub.post('/v1/chat/completions', {
      model: 'deepseek-chat',
      messages: [{ role: 'user', content: 'Hello [simulate tokens=42 prompt=15 pace=0]' }],
      stream: true,
    });
    const comment = (await response.text()).split('\n').findLast((line) => line.startsWith(': '));
    // 15 × 0.27 and 42 × 1.10 USD per million, worked out by hand.
    expect(comment).toBe(
      ': {"cost":"0.00005025","input_price":"0.00000405","output_price":"0.0000462","prompt_tokens":15,"completion_tokens":42}',
    );
  });
});

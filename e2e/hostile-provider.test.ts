import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ask, warmUp, type Wish } from './ask.ts';
import { forgetPeak, memoryOf } from './process-status.ts';
import { prepareProcesses, type Processes } from './start-processes.ts';

const MIB = 1024 * 1024;

let processes: Processes;
beforeAll(async () => {
  processes = await prepareProcesses();
  await warmUp(processes.gateway);
});
afterAll(() => processes.stop());
// Five failures in a row would take the deployment out of service.
beforeEach(async () => {
  for (const model of ['gpt-4', 'claude']) await (await ask(processes.gateway, 'Hello', { model })).text();
});

/** The answer to a request whose provider has the fault, and how much memory the gateway needed more than before, at most. */
async function askFaulty(fault: string, wish: Wish): Promise<{ status: number; text: string; grownBytes: number }> {
  const { gateway } = processes;
  const before = memoryOf(gateway, 'VmRSS');
  forgetPeak(gateway);
  const response = await ask(gateway, `Hello [simulate tokens=20 fault=${fault}]`, wish);
  const text = await response.text();
  return { status: response.status, text, grownBytes: memoryOf(gateway, 'VmHWM') - before };
}

it.each([
  ['huge-line', 'gpt-4', '/v1/chat/completions'],
  ['huge-line', 'claude', '/v1/chat/completions'],
  ['huge-line', 'claude', '/v1/messages'],
  ['huge-line', 'gpt-4', '/v1/messages'],
  ['endless-data-lines', 'gpt-4', '/v1/chat/completions'],
  ['endless-data-lines', 'claude', '/v1/chat/completions'],
])('256 MiB of %s from %s to %s: an error event, and no memory (F57)', async (fault, model, path) => {
  const { status, text, grownBytes } = await askFaulty(fault, { model, path });
  expect(status).toBe(200);
  expect(text).toMatch(/upstream_protocol|api_error/);
  expect(text).not.toContain('[DONE]');
  expect(text.length).toBeLessThan(100_000);
  expect(grownBytes).toBeLessThan(64 * MIB);
  const asked = processes.simulator.requests.findLast(({ directives }) => directives.fault === fault);
  await expect.poll(() => asked?.outcome).toBe('client_closed');
});

it.each([
  ['huge-line', false],
  ['gzip-bomb', true],
  ['gzip-bomb', false],
  ['many-headers', true],
  ['many-headers', false],
  ['many-encodings', true],
])('%s (stream: %s) is refused with an error, and no memory (F61)', async (fault, stream) => {
  const { status, text, grownBytes } = await askFaulty(fault, { stream });
  expect(status).toBe(502);
  expect(text).toContain('"reason":"upstream_protocol"');
  // A whole answer may have 32 MiB.
  expect(grownBytes).toBeLessThan((fault === 'huge-line' ? 128 : 64) * MIB);
});

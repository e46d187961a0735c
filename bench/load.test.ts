import { startSimulator } from '@tokenhub/simulator';
import { expect, it } from 'vitest';
import { RateLoad, runStreams, type Task } from './load.ts';
import { SCENARIOS } from './scenarios.ts';

const stream: Task | undefined = SCENARIOS.flatMap((scenario) =>
  scenario.name === 'first-byte' && scenario.kind === 'rate' ? [scenario.task('simulator')] : [],
)[0];

it('offers the requests of the rate, no more and no fewer, and checks each answer', async () => {
  const simulator = await startSimulator();
  const load = new RateLoad(simulator.port, 2);
  const task = stream ?? { request: Buffer.alloc(0), check: () => 'no task' };
  const good = await load.run(task, { perSecond: 200, durationMs: 250 });
  expect(good).toMatchObject({ answered: 50, failures: [] });
  expect(good.firstBytesMs).toHaveLength(50);
  const bad = await load.run({ ...task, check: () => 'bad' }, { perSecond: 200, durationMs: 50 });
  expect(bad.failures).toEqual(Array.from({ length: 10 }, () => 'bad'));
  load.close();
  expect(simulator.requests).toHaveLength(60);
  await simulator.close();
});

it('opens all streams and counts the events of its window only', async () => {
  const simulator = await startSimulator();
  const body = JSON.stringify({
    model: 'sim-1',
    stream: true,
    messages: [{ role: 'user', content: '[simulate tokens=40 pace=20]' }],
  });
  const head = `POST /vllm/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
  const task = { request: Buffer.from(head + body), check: () => undefined };
  let windows = 0;
  const options = { port: simulator.port, streams: 10, rampMs: 50, settleMs: 100, windowMs: 200 };
  const result = await runStreams(task, options, () => windows++);
  expect(windows).toBe(2);
  expect(result).toMatchObject({ answered: 10, failures: [] });
  // Ten streams of 43 events each; what came before and after the window is not in it.
  expect(result.events).toBeGreaterThan(0);
  expect(result.events).toBeLessThan(430);
  await simulator.close();
});

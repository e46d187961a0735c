import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

it('prints its address, serves there and ends cleanly', async () => {
  const child = spawn(process.execPath, [main, '--pace', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const url = String(await once(child.stdout, 'data')).trim();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const answer = await fetch(`${url}/vllm/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'sim-1', messages: [{ role: 'user', content: 'Count from 1 to 3.' }] }),
  });
  expect(await answer.text()).toContain('[simulated] 1, 2, 3.');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('explains itself', async () => {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(String(await child.stdout.toArray())).toContain('--recordings DIR');
});

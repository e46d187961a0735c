import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readProcessUsage } from './process-usage.ts';

describe.skipIf(!existsSync('/proc/self/stat'))('readProcessUsage (needs /proc)', () => {
  it('counts the CPU time of a process and of its children', async () => {
    const busy =
      'const until = Date.now() + 200; while (Date.now() < until); console.log(process.cpuUsage().user); setInterval(() => {}, 1000)';
    const parent = spawn('sh', ['-c', '"$0" -e "$1" & echo started; wait', process.execPath, busy], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let output = '';
    while (!/\n\d+/.test(output)) output += String(await once(parent.stdout, 'data'));
    const spentUs = Number(/\n(\d+)/.exec(output)?.[1]);
    const usage = readProcessUsage(parent.pid ?? 0);
    // The shell itself does next to nothing; user time is less than user and system time together.
    expect(usage.cpuUs).toBeGreaterThanOrEqual(0.9 * spentUs);
    expect(usage.rssBytes).toBeGreaterThan(10e6);
    process.kill(-(parent.pid ?? 0), 'SIGKILL');
  });
});

/**
 * Loaded into a gateway before its own modules: notes how long each reservation takes from the question to the answer, and
 * leaves the milliseconds, in the order of the answers, in the file BENCH_REPORT when the process ends.
 */
import { writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { loadScript } from '../../packages/metering/src/quota/scripts.ts';

const { sha: reserve } = loadScript('reserve');
const latenciesMs: number[] = [];

const evalsha = Reflect.get(Redis.prototype, 'evalsha') as (...args: unknown[]) => Promise<unknown>;
Reflect.set(Redis.prototype, 'evalsha', function timed(this: Redis, ...args: unknown[]): Promise<unknown> {
  const answer = evalsha.apply(this, args);
  if (args[0] !== reserve) return answer;
  const askedAt = performance.now();
  return answer.finally(() => latenciesMs.push(performance.now() - askedAt));
});

process.on('exit', () => writeFileSync(process.env['BENCH_REPORT'] ?? '', JSON.stringify(latenciesMs)));

import { setTimeout as sleep } from 'node:timers/promises';
import { findPostgres } from '@tokenhub/local-postgres';
import { findRedisServer } from '@tokenhub/local-redis';
import { createRandom } from '@tokenhub/simulator';
import { afterEach, describe, expect, it } from 'vitest';
import { audit } from './audit.ts';
import { startCallers } from './callers.ts';
import { startHouse, type House } from './house.ts';
import { untilQuiet } from './until-quiet.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const programs = await findPostgres();
const canRun = programs !== undefined && (await findRedisServer())?.kind === 'redis-server';

describe.skipIf(!canRun)('a store that loses data (skipped where redis-server or PostgreSQL is not installed)', () => {
  let house: House;
  const start = async (options: { keepsData: boolean }): Promise<void> => {
    if (programs !== undefined) house = await startHouse(programs, options);
  };
  afterEach(() => house.stop());

  /** As if 30 s had passed: what the store still holds, for requests that have ended, is swept now. */
  async function endLeases(): Promise<void> {
    const client = house.redis.client();
    const held = await client.zrange('gw:{q0}:lease', '0', '-1');
    for (const requestId of held) await client.zadd('gw:{q0}:lease', 'XX', '0', requestId);
    client.disconnect();
  }

  /** Runs callers while the store is disturbed, and audits the books when everything is quiet. */
  async function check(disturb: () => Promise<void>): Promise<void> {
    const callers = startCallers(house, createRandom(seed));
    await sleep(2000);
    await disturb();
    await sleep(3000);
    await callers.stop();
    const provider = [...house.simulator.requests];
    await endLeases();
    await untilQuiet(house);
    const result = await audit(house, callers.calls, provider);
    process.stdout.write(`store loss: ${JSON.stringify({ seed, ...result })}\n`);
    expect(result.faults, `SEED=${seed}\n${house.output().slice(-4000)}`).toEqual([]);
    expect(callers.served()).toBeGreaterThan(500);
  }

  it(`comes back empty three times: running requests are held again, budgets are those of the ledger (F16, SEED=${seed})`, async () => {
    await start({ keepsData: false });
    await check(async () => {
      for (let round = 0; round < 3; round++) {
        await house.redis.kill();
        await house.redis.restart();
        await sleep(3000);
      }
    });
  }, 300_000);

  it(`fails over to a replica that has not heard the last second (F24, SEED=${seed})`, async () => {
    await start({ keepsData: true });
    await check(async () => {
      await house.redis.failOver(1000);
      await sleep(4000);
      await house.redis.failOver(1000);
    });
  }, 300_000);

  it(`forgets all scripts again and again, and nobody notices (F21, SEED=${seed})`, async () => {
    await start({ keepsData: true });
    const client = house.redis.client();
    await check(async () => {
      for (let round = 0; round < 40; round++) {
        await client.script('FLUSH');
        await sleep(50);
      }
    });
    client.disconnect();
    expect(house.output()).not.toContain('NOSCRIPT');
  }, 300_000);
});

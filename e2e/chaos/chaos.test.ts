import { setTimeout as sleep } from 'node:timers/promises';
import { findPostgres } from '@tokenhub/local-postgres';
import { findRedisServer } from '@tokenhub/local-redis';
import { createRandom } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from './audit.ts';
import { startCallers } from './callers.ts';
import { startDisturbing } from './disturb.ts';
import { startHouse, type House } from './house.ts';
import { untilQuiet } from './until-quiet.ts';

const STREAMS = Number(process.env['CHAOS_STREAMS'] ?? 2_500);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const postgresPrograms = await findPostgres();
const canRun = postgresPrograms !== undefined && (await findRedisServer())?.kind === 'redis-server';

describe.skipIf(!canRun)('chaos (skipped where redis-server or PostgreSQL is not installed)', () => {
  let house: House;
  beforeAll(async () => {
    if (postgresPrograms !== undefined) house = await startHouse(postgresPrograms);
  }, 60_000);
  afterAll(() => house.stop());

  it(`${STREAMS} requests while everything is killed and paused: nothing lost, nothing doubled, nothing held (SEED=${seed})`, async () => {
    const random = createRandom(seed);
    const callers = startCallers(house, random);
    const disturbing = startDisturbing(house, random);
    while (callers.served() < STREAMS) await sleep(200);
    await disturbing.stop();
    await callers.stop();
    const provider = [...house.simulator.requests];

    await untilQuiet(house);
    const result = await audit(house, callers.calls, provider);
    const statuses = Object.fromEntries(
      [...Map.groupBy(callers.calls, ({ status }) => String(status))].map(([status, calls]) => [status, calls.length]),
    );
    process.stdout.write(
      `chaos: ${JSON.stringify({ seed, ...result, statuses, disturbances: disturbing.done.length })}\n`,
    );
    expect(result.faults, `SEED=${seed}\n${house.output().slice(-4000)}`).toEqual([]);
    expect(result.rows).toBeGreaterThanOrEqual(STREAMS);
  }, 900_000);
});

import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startConnectBlackHole } from './connect-black-hole.ts';

it('lets connects hang until it is closed', async () => {
  const hole = await startConnectBlackHole();
  const sockets = Array.from({ length: 20 }, () => connect(hole.port, '127.0.0.1').on('error', () => {}));
  await setTimeout(500);
  expect(new Set(sockets.map((socket) => socket.readyState))).toEqual(new Set(['opening']));
  await hole.close();
  await expect.poll(() => sockets.every((socket) => socket.destroyed), { timeout: 15_000, interval: 20 }).toBe(true);
});

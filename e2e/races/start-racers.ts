import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Heat, Order, Tally } from './heat.ts';

/** Processes that race for the same quota. */
export interface Racers {
  /** Each asks as fast as it can, all at the same time; gives what each has seen once all have had their answers. */
  race(heat: Heat): Promise<readonly Tally[]>;
  /** Each settles what it still holds. */
  settle(heat: Heat): Promise<readonly Tally[]>;
  stop(): Promise<void>;
}

const RACER = fileURLToPath(new URL('racer.ts', import.meta.url));

export async function startRacers(redisUrl: string, count: number): Promise<Racers> {
  const processes = Array.from({ length: count }, () =>
    // Structured clones, since JSON has no bigint.
    fork(RACER, [redisUrl], { execArgv: ['--conditions=@tokenhub/source'], serialization: 'advanced' }),
  );
  await Promise.all(processes.map(answer));
  const orderAll = (order: Order): Promise<readonly Tally[]> =>
    Promise.all(
      processes.map(async (process) => {
        process.send(order);
        return (await answer(process)) as Tally;
      }),
    );
  return {
    race: (heat) => orderAll({ kind: 'race', heat }),
    settle: (heat) => orderAll({ kind: 'settle', heat }),
    async stop() {
      const exits = processes.map((process) => once(process, 'exit'));
      for (const process of processes) process.disconnect();
      await Promise.all(exits);
    },
  };
}

/** The next message of a process. */
async function answer(process: ChildProcess): Promise<unknown> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(process, 'exit', { signal }).then(([code]) => {
    throw new Error(`a racer ended with ${String(code)}`);
  });
  const [message] = await Promise.race([once(process, 'message', { signal }), ended]);
  answered.abort();
  return message;
}

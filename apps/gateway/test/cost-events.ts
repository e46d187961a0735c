import { redisOptions } from '@tokenhub/config';
import { createOutbox, readOutboxEntry, type CostEvent } from '@tokenhub/metering';
import { Redis } from 'ioredis';
import type { TestGateway } from './test-gateway.ts';

/** What the ledger will be told of requests: each one's cost event, as soon as it is in the outbox. */
export interface CostEvents {
  of(response: Response): Promise<CostEvent>;
  close(): void;
}

const TRIES = 100;
const BETWEEN_TRIES_MS = 50;
const MOST_ENTRIES = 1_000;

export function readCostEvents(hub: TestGateway): CostEvents {
  const redis = new Redis({ ...redisOptions(hub.redis.url) });
  const outbox = createOutbox({ redis, shard: 0 });
  const known = new Map<string, CostEvent>();
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const entries = await outbox.read(MOST_ENTRIES);
    for (const entry of entries) {
      const result = readOutboxEntry(entry);
      if (result.ok) known.set(result.entry.event.requestId, result.entry.event);
    }
    // As the accounting does, so that none is read twice.
    await outbox.remove(entries, []);
    reading = undefined;
  }

  return {
    async of(response) {
      const requestId = response.headers.get('x-request-id') ?? '';
      for (let tries = 0; tries < TRIES; tries++) {
        const event = known.get(requestId);
        if (event !== undefined) return event;
        await (reading ??= read());
        if (!known.has(requestId)) await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
      }
      throw new Error(`no cost event of ${requestId}`);
    },
    close: () => redis.disconnect(),
  };
}

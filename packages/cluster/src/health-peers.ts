import { readFileSync } from 'node:fs';
import type { HealthNews, HealthPeers } from '@tokenhub/core';
import { connectSubscriber, withinMs } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { NEWS, probeKey } from './keys.ts';

export interface RedisHealthPeersOptions {
  /** For questions and for telling. The others are heard over a further connection, made like this one. */
  readonly redis: Redis | Cluster;
  /** Names this process; no two that run at the same time may have the same. */
  readonly gatewayId: string;
  /** Is told what other processes announce, never what this one does. */
  readonly onNews: (news: HealthNews) => void;
  /** Is told of what did not work, for the log: nobody needs to do anything about it. Not called after `close`. */
  readonly onError: (error: unknown) => void;
  /** Longest wait of `takeProbe` for an answer of Redis. @defaultValue 250 */
  readonly answerTimeoutMs?: number | undefined;
}

/** {@link HealthPeers} that meet in Redis. */
export interface RedisHealthPeers extends HealthPeers {
  /** Hears nothing from now on, and ends the connection for it. `redis` stays open: whoever made it closes it. */
  close(): void;
}

/** From `src` and from `dist` alike: the package ships its sources, so the build has nothing to copy. */
const RETURN_PROBE = readFileSync(new URL('../src/lua/return-probe.lua', import.meta.url), 'utf8');

/** Does not wait for Redis: what is announced before both connections stand, or while Redis is away, is not heard. */
export function createRedisHealthPeers(options: RedisHealthPeersOptions): RedisHealthPeers {
  const { redis, gatewayId, onNews, answerTimeoutMs = 250 } = options;
  let closed = false;
  const onError = (error: unknown): void => {
    if (!closed) options.onError(error);
  };

  const subscriber = connectSubscriber(redis);
  subscriber.on('error', onError);
  // After every reconnection too
  subscriber.on('ready', () => subscriber.subscribe(NEWS).catch(onError));
  subscriber.on('message', (_channel: string, text: string) => {
    const message = readMessage(text);
    if (closed || message === undefined || message.from === gatewayId) return;
    try {
      onNews(message.news);
    } catch (error) {
      onError(error);
    }
  });

  // What is sent meanwhile may wait in the client until Redis is back, and by then is no news any more
  const isAway = (): boolean => redis.status !== 'ready';

  return {
    async takeProbe(deployment, ttlMs) {
      if (isAway()) return true;
      try {
        const ttl = Math.max(1, Math.ceil(ttlMs));
        const answer = redis.set(probeKey(deployment), gatewayId, 'PX', ttl, 'NX');
        return (await withinMs(answer, answerTimeoutMs)) === 'OK';
      } catch (error) {
        onError(error);
        return true;
      }
    },

    returnProbe(deployment) {
      redis.eval(RETURN_PROBE, 1, probeKey(deployment), gatewayId).catch(onError);
    },

    announce(news) {
      if (isAway()) return;
      redis.publish(NEWS, JSON.stringify({ from: gatewayId, news } satisfies Message)).catch(onError);
    },

    close() {
      closed = true;
      subscriber.disconnect();
    },
  };
}

/** What goes over the channel, as JSON. */
interface Message {
  /** Id of the gateway that tells. */
  readonly from: string;
  readonly news: HealthNews;
}

const deployment = z.string().min(1);
const restMs = z.number().nonnegative();
const messageSchema: z.ZodType<Message> = z.object({
  from: z.string(),
  news: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('opened'), deployment, restMs }),
    z.object({ kind: z.literal('closed'), deployment }),
    z.object({ kind: z.literal('cooling'), deployment, restMs }),
  ]),
});

/** `undefined` for what is not a message of ours, or is one that only a later version knows. */
function readMessage(text: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON
  }
}

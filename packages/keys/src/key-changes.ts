import { connectSubscriber } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { CHANGES } from './redis-keys.ts';

export interface KeyChangesOptions {
  /** The changes are heard over a further connection, made like this one. */
  readonly redis: Redis | Cluster;
  /** Is told the id of every key that was made, changed, rotated or revoked. */
  readonly onChange: (id: string) => void;
  /** Is told whenever hearing begins, also again: what happened before went unheard. */
  readonly onListening: () => void;
  /** Is told of what did not work, for the log. Not called after `close`. */
  readonly onError: (error: unknown) => void;
}

/** The running subscription. */
export interface KeyChanges {
  /** Hears nothing from now on. `redis` stays open: whoever made it closes it. */
  close(): void;
}

/** Hears of changes to keys as long as there is a connection, and comes back by itself when there was none. */
export function listenForKeyChanges(options: KeyChangesOptions): KeyChanges {
  let closed = false;
  const onError = (error: unknown): void => {
    if (!closed) options.onError(error);
  };
  const subscriber = connectSubscriber(options.redis);
  subscriber.on('error', onError);
  subscriber.on('message', (_channel: string, id: string) => {
    if (!closed) options.onChange(id);
  });
  // After every reconnection too
  subscriber.on('ready', () => {
    subscriber
      .subscribe(CHANGES)
      .then(() => options.onListening())
      .catch(onError);
  });
  return {
    close() {
      closed = true;
      subscriber.disconnect();
    },
  };
}

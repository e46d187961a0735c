/** A running Redis of this process's own. */
export interface LocalRedis {
  readonly kind: 'redis-server' | 'valkey-server' | 'embedded';
  /** `unix:///path/redis.sock` of a real server, `redis://127.0.0.1:port` of the embedded one; of several what their function says. */
  readonly url: string;
  /** As the server itself says it; of the embedded one the Redis version whose behaviour it follows. */
  readonly version: string;
  /** Of the server's process; absent when it runs inside this one, or there are several. */
  readonly pid?: number | undefined;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<void>;
  /** Ends the server, its data written to disk if it keeps any; a second call waits for the same end. */
  stop(): Promise<void>;
}

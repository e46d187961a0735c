import { redisOptions, type RedisServerOptions } from './redis-options.ts';

/** What a `REDIS_URL` names: one server, the one that sentinels say is the primary, or a cluster. */
export type RedisConnection = RedisServerOptions | RedisSentinelOptions | RedisClusterOptions;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Constructor options of ioredis: the primary of a group is found by asking sentinels, again after every failover. */
export interface RedisSentinelOptions {
  readonly sentinels: readonly RedisAddress[];
  /** Of the group, as the sentinels know it. */
  readonly name: string;
  /** Of the servers; that of the sentinels is apart. */
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly db?: number;
  /** For the servers and for the sentinels. */
  readonly tls?: object;
}

export interface RedisClusterOptions {
  /** Where the cluster is asked for its other nodes; the first that answers is enough. */
  readonly nodes: readonly RedisAddress[];
  /** Of every node. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

const SEVERAL = /^redis(s?)-(cluster|sentinel):\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?([^/?#]*)\??([^#]*)$/;
const DEFAULT_PORTS = { cluster: 6379, sentinel: 26_379 } as const;

/**
 * The connection that a `REDIS_URL` names. Beside the URLs of one server these, with TLS as `rediss-…`:
 *
 * - `redis-cluster://user:password@host:port,host:port`
 * - `redis-sentinel://user:password@host:port,host:port/db?master=name`, with `&sentinel_username=…&sentinel_password=…` where
 *   the sentinels ask for them; as Lettuce, Asynq and others write it.
 * @throws TypeError with what would be right; the URL, which may hold a password, is not in the message.
 */
export function parseRedisUrl(text: string): RedisConnection {
  try {
    const [, secure, kind, login, hosts = '', database = '', query = ''] = SEVERAL.exec(text) ?? [];
    if (kind !== 'cluster' && kind !== 'sentinel') return redisOptions(text);
    const addresses = hosts.split(',').map((host) => parseAddress(host, DEFAULT_PORTS[kind]));
    const shared = { ...parseLogin(login), ...(secure !== '' && { tls: {} }) };
    if (kind === 'sentinel') {
      return { sentinels: addresses, ...parseDatabase(database), ...shared, ...parseSentinelQuery(query) };
    }
    if (!['', '0'].includes(database) || query !== '') throw new TypeError('a cluster has one database');
    return { nodes: addresses, ...shared };
  } catch {
    throw new TypeError(
      'must be redis://[user:password@]host[:port][/db], rediss://… with TLS, unix:///path/to/redis.sock, ' +
        'redis-cluster://[user:password@]host:port[,host:port…] or ' +
        'redis-sentinel://[user:password@]host:port[,host:port…][/db]?master=name',
    );
  }
}

/** Of `host`, `host:port` or `[::1]:port`. */
function parseAddress(text: string, defaultPort: number): RedisAddress {
  const { hostname, port } = new URL(`redis://${text}`);
  if (hostname === '') throw new TypeError('no host');
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) };
}

function parseLogin(login = ''): Pick<RedisServerOptions, 'username' | 'password'> {
  const { username, password } = redisOptions(`redis://${login}@host`);
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

function parseDatabase(text: string): Pick<RedisServerOptions, 'db'> {
  const { db } = redisOptions(`redis://host/${text}`);
  return db === undefined ? {} : { db };
}

function parseSentinelQuery(
  query: string,
): Pick<RedisSentinelOptions, 'name' | 'sentinelUsername' | 'sentinelPassword'> {
  const { master, sentinel_username, sentinel_password, ...unknown } = Object.fromEntries(new URLSearchParams(query));
  if (!master || Object.keys(unknown).length > 0) throw new TypeError('no name of a group, or something else');
  return {
    name: master,
    ...(sentinel_username !== undefined && { sentinelUsername: sentinel_username }),
    ...(sentinel_password !== undefined && { sentinelPassword: sentinel_password }),
  };
}

/** Constructor options of ioredis for one server. A subset of ioredis' own type, which this package does not depend on. */
export interface RedisServerOptions {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: { readonly servername: string };
}

/**
 * The one server that a URL names: `redis://`, `rediss://` (TLS) or `unix:///path`, the last two parts of
 * `redis[s]://user:password@host:port/db` optional.
 * @throws TypeError with what would be right; the URL, which may hold a password, is not in the message.
 */
export function redisOptions(text: string): RedisServerOptions {
  if (!URL.canParse(text)) throw invalid();
  const url = new URL(text);
  const database = url.protocol === 'unix:' ? (url.searchParams.get('db') ?? '') : url.pathname.slice(1);
  if (!/^\d{0,4}$/.test(database)) throw invalid();
  const shared = {
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(database !== '' && { db: Number(database) }),
  };
  if (url.protocol === 'unix:') {
    if (url.pathname === '') throw invalid();
    return { path: decodeURIComponent(url.pathname), ...shared };
  }
  if (!['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') throw invalid();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 6379 : Number(url.port);
  return { host, port, ...shared, ...(url.protocol === 'rediss:' && { tls: { servername: host } }) };
}

function invalid(): TypeError {
  return new TypeError(
    'must be redis://[user:password@]host[:port][/db], rediss://… with TLS, or unix:///path/to/redis.sock',
  );
}

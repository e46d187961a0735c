/** Nobody waited for Redis any longer, since it gave no answer in time. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout';
}

/** How a Redis begins its reply that is there and cannot do its work: starting, a replica, held up by a script, not able to write its file. */
const UNABLE = /^(?:READONLY|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|NOAUTH|WRONGPASS|NOPERM)\b/;

/** What the client says of a connection that it does not have, or of no node that answers; of these it has no codes. */
const DISCONNECTED =
  /^(?:Connection is closed|Stream isn't writeable|Command aborted due to connection close|Cluster isn't ready|Cluster is ended|Failed to refresh slots cache|None of startup nodes is available|Too many Cluster redirections)/;

/**
 * True for an error which says that Redis is away: that nothing else could be asked of it either. False for a refusal of what
 * was asked, such as that its memory is full.
 */
export function saysAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return UNABLE.test(error.message);
  return (
    error instanceof RedisTimeout ||
    error.name === 'MaxRetriesPerRequestError' ||
    'syscall' in error ||
    DISCONNECTED.test(error.message)
  );
}

import postgres, { type Sql } from 'postgres';

export interface PostgresClientOptions {
  /** The server then refuses every change. */
  readonly readOnly: boolean;
  /** Longest a statement may take at the server, waiting for locks included. */
  readonly statementMs: number;
  /** Longest wait for an answer, connecting included; more than `statementMs`, so that the server's reason is heard first. */
  readonly answerMs: number;
}

/** A few connections to one PostgreSQL, made when they are needed. */
export interface PostgresClient {
  /** Rejects as the question does, or when there is no answer in time; what the server then does is unknown. */
  ask<T>(question: (sql: Sql) => Promise<T>): Promise<T>;
  /** Lets running questions end for a moment. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 4;
const CONNECT_SECONDS = 5;
/** Unused for so long, a connection is closed. */
const IDLE_SECONDS = 60;
/** How soon a peer that has vanished is looked for. */
const KEEP_ALIVE_SECONDS = 10;
const CLOSE_SECONDS = 2;

/** @param url `postgres://…`; `?host=/directory` for a unix socket, other parameters are settings of the session */
export function createPostgresClient(url: string, options: PostgresClientOptions): PostgresClient {
  let current: Sql | undefined;
  let isClosed = false;

  const ask = async <T>(question: (sql: Sql) => Promise<T>): Promise<T> => {
    if (isClosed) throw new Error('The connections to PostgreSQL are closed.');
    const sql = (current ??= connect(url, options));
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(new Error(`PostgreSQL did not answer within ${options.answerMs} ms.`));
    const timer = setTimeout(giveUp, options.answerMs);
    try {
      return await Promise.race([question(sql), tooLate]);
    } catch (error) {
      // Not the server's word: a connection was lost, or hangs. The next question gets new ones, at once and unencumbered.
      if (!(error instanceof postgres.PostgresError) && current === sql) {
        current = undefined;
        sql.end({ timeout: options.answerMs / 1000 }).catch(() => {});
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    ask,
    async close() {
      isClosed = true;
      await current?.end({ timeout: CLOSE_SECONDS });
      current = undefined;
    },
  };
}

function connect(databaseUrl: string, { readOnly, statementMs }: PostgresClientOptions): Sql {
  const url = new URL(databaseUrl);
  const socketDirectory = url.searchParams.get('host');
  url.searchParams.delete('host');
  return postgres(url.href, {
    ...(socketDirectory !== null && { host: socketDirectory }),
    max: MAX_CONNECTIONS,
    connect_timeout: CONNECT_SECONDS,
    idle_timeout: IDLE_SECONDS,
    keep_alive: KEEP_ALIVE_SECONDS,
    onnotice: () => {},
    // Wanted for arrays alone; a connection lost during that question would be an unhandled rejection, the end of the process
    fetch_types: false,
    connection: {
      application_name: 'tokenhub',
      statement_timeout: statementMs,
      ...(readOnly
        ? { default_transaction_read_only: true }
        : // What has left the outbox must be on the disk
          { synchronous_commit: 'on' }),
    },
  });
}

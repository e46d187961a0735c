import { OperatorError } from './operator-error.ts';

/** Where a server was to listen, and the variable that says at which port. */
export interface ListenSettings {
  readonly variable: string;
  readonly host: string;
  readonly port: number;
}

/** What to tell of a server that could not listen, from what Node says of it; any other error as it is. */
export function cannotListen(cause: unknown, { variable, host, port }: ListenSettings): unknown {
  if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) return cause;
  const code = String(cause.code);
  const message =
    code === 'EADDRINUSE'
      ? `is in use by another program. Stop that, or set ${variable} to another port.`
      : `cannot be listened on (${code}). Set ${variable}, or the host beside it, to what this machine allows.`;
  return new OperatorError(`${host}:${port} ${message}`, { cause });
}

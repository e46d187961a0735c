import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { CredentialSource } from '@tokenhub/config';

/** Longest secret, with the white space around it. */
const MAX_BYTES = 64 * 1024;
const COMMAND_TIMEOUT_MS = 10_000;

/** What a header can carry. */
const SECRET = /^[\x21-\x7e]+$/;

/**
 * Reads a provider's secret from where it lives.
 * @throws Error when there is none. It quotes nothing of what was read, and of a command only its first word.
 */
export async function readCredential(source: CredentialSource): Promise<string> {
  const secret = ('file' in source ? await readFile(source.file) : await runCommand(source.command)).trim();
  const name = 'file' in source ? `the file ${source.file}` : `the command ${source.command[0]}`;
  if (secret === '') throw new Error(`${name} gave no secret`);
  if (!SECRET.test(secret)) throw new Error(`${name} gave something other than printable ASCII without spaces`);
  return secret;
}

async function readFile(path: string): Promise<string> {
  const content = await text(createReadStream(path, { end: MAX_BYTES }));
  if (content.length > MAX_BYTES) throw new Error(`the file ${path} is longer than 64 KiB`);
  return content;
}

/** What the program prints. It is run without a shell, with our environment and nothing on its standard input. */
function runCommand([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_BYTES } as const;
    const child = execFile(program, args, limits, (error, output) => {
      if (error === null) resolve(output);
      // Node's own message would quote the arguments and what was printed.
      else reject(new Error(`the command ${program} failed: ${describeFailure(error)}`));
    });
    child.stdin?.end();
  });
}

/** `code` is the exit status, the name of a system error (`ENOENT`), or Node's word for too much output. */
function describeFailure({ code, killed }: { code?: unknown; killed?: boolean }): string {
  if (typeof code === 'number') return `it ended with status ${code}`;
  if (typeof code === 'string') return code;
  return killed === true ? 'it took longer than 10 s' : 'it was killed';
}

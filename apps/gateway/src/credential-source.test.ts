import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCredential } from './credential-source.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenhub-credential-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(content: string): Promise<{ file: string }> {
  const file = join(folder, 'key');
  await writeFile(file, content);
  return { file };
}

/** A command that runs this script. */
const script = (text: string, ...args: string[]) => ({ command: [process.execPath, '-e', text, ...args] });

async function errorOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'it went well',
    (error: unknown) => inspect(error, { depth: 9 }),
  );
}

describe('a file', () => {
  it('gives its content without the white space around it', async () => {
    expect(await readCredential(await written('  sk-file\n'))).toBe('sk-file');
  });

  it('may be 64 KiB long', async () => {
    const longest = 'x'.repeat(64 * 1024);
    expect(await readCredential(await written(longest))).toBe(longest);
    expect(await errorOf(readCredential(await written(`${longest}x`)))).toMatch(/key is longer than 64 KiB/);
  });

  it('that is not there is an error with its path', async () => {
    expect(await errorOf(readCredential({ file: join(folder, 'absent') }))).toMatch(/ENOENT.*absent/);
  });

  it.each([
    ['nothing', ' \n', 'gave no secret'],
    ['two lines', 'sk-one\nsk-two', 'gave something other than printable ASCII without spaces'],
    ['bytes that are no text', '\u0000sk-one\ufffd', 'gave something other than printable ASCII without spaces'],
  ])('with %s in it is an error that quotes nothing', async (_title, content, message) => {
    const error = await errorOf(readCredential(await written(content)));
    expect(error).toContain(message);
    expect(error).not.toMatch(/sk-/);
  });
});

describe('a command', () => {
  it('gives what it prints without the white space around it', async () => {
    expect(await readCredential(script('console.log("sk-command")'))).toBe('sk-command');
  });

  it('gets its arguments as they are, our environment, and nothing to read', async () => {
    const text =
      'process.stdin.on("data", () => {}).on("end", () => console.log([process.argv[1], !!process.env.PATH].join()))';
    expect(await readCredential(script(text, '$HOME;`id`'))).toBe('$HOME;`id`,true');
  });

  it.each([
    ['ends badly', 'console.log("sk-out"); console.error("sk-err"); process.exit(3)', 'it ended with status 3'],
    ['prints too much', 'console.log("sk-out".repeat(20000))', 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'],
    ['is killed', 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 9000)', 'it was killed'],
    ['prints nothing', '', 'gave no secret'],
  ])('that %s is an error that names the program and quotes nothing', async (_title, text, message) => {
    const error = await errorOf(readCredential(script(text, 'sk-argument')));
    expect(error).toContain(`the command ${process.execPath} `);
    expect(error).toContain(message);
    expect(error).not.toMatch(/sk-/);
  });

  it('that is not there is an error with its name', async () => {
    const error = await errorOf(readCredential({ command: ['tokenhub-no-such-program', 'sk-argument'] }));
    expect(error).toContain('the command tokenhub-no-such-program failed: ENOENT');
    expect(error).not.toMatch(/sk-/);
  });
});

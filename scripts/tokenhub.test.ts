import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { hashApiKey, hasValidChecksum } from '@tokenhub/config';
import { expect, test } from 'vitest';

const PEPPER = 'pepper-of-the-test';
const KEY = 'a-key-of-the-test-0123456789';
const script = fileURLToPath(new URL('./tokenhub.ts', import.meta.url));

async function run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = { TOKENHUB_KEY_PEPPER: PEPPER }) {
  const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env['PATH'], ...env } });
  // A program that ends without reading leaves a broken pipe, which is its right.
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  return { stdout: stdout.trim(), stderr: stderr.trim(), code };
}

test('generates a key with its hash', async () => {
  const { stdout } = await run(['keys', 'generate']);
  const [, key = '', hash] = /^key: +(\S+)\nkey_hash: (\S+)$/.exec(stdout) ?? [];
  expect(hasValidChecksum(key)).toBe(true);
  expect(hash).toBe(hashApiKey(key, PEPPER));
});

test('hashes the key on standard input', async () => {
  expect((await run(['keys', 'hash'], 'some-key\n')).stdout).toBe(hashApiKey('some-key', PEPPER));
});

test('asked for models without saying whose, says who there is', async () => {
  const env = {
    TOKENHUB_CONFIG: 'examples/tokenhub.yaml',
    OPENAI_API_KEY: 'k',
    ANTHROPIC_API_KEY: 'k',
    TEAM_A_KEY: KEY,
  };
  const { code, stderr } = await run(['models'], '', env);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'name one of openai, anthropic, vllm-a' });
});

test('says what it needs', async () => {
  expect(await run(['keys', 'hash'], 'some-key\n', {})).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('TOKENHUB_KEY_PEPPER is not set'),
  });
  expect(await run(['keys', 'hash'])).toMatchObject({ code: 1, stderr: 'give the key on standard input' });
  expect(await run(['keys', 'steal'])).toMatchObject({ code: 1, stderr: expect.stringContaining('keys generate') });
  expect(await run(['models', 'openai'], '', { TOKENHUB_CONFIG: '/nowhere.yaml' })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The configuration file \/nowhere.yaml is not there/),
  });
  expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('keys generate') });
});

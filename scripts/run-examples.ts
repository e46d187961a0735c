import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadConfig } from '@tokenhub/config';
import { findFreePort, runStart } from './start/run-start.ts';

/** What the examples' output must hold, by file and command. */
const EXAMPLES: readonly { readonly command: string; readonly file: string; readonly holds: readonly RegExp[] }[] = [
  {
    command: 'node',
    file: 'packages/core/examples/parse-sse.ts',
    holds: [/^\{"choices":.*Grüße.*\}$/m, /^\[DONE\]$/m],
  },
  { command: 'node', file: 'packages/core/examples/one-provider.ts', holds: [/\w+ \w+ \w+/] },
  {
    command: 'node',
    file: 'packages/core/examples/route-and-fail-over.ts',
    holds: [
      /^cheap@simulated scores/,
      /^cheap@simulated answered 503$/m,
      /^dear@simulated serves$/m,
      /bytes for 0\.0\d+ USD/,
    ],
  },
  {
    command: 'node',
    file: 'packages/core/examples/own-server.ts',
    holds: [
      /^cheap@openai: upstream_unavailable$/m,
      /^dear@anthropic: \d+ tokens, 0\.0\d+ USD$/m,
      /^200: \[simulated\] \w+ \w+/m,
    ],
  },
  {
    command: 'bash',
    file: 'examples/curl.sh',
    holds: [
      /^data: \[DONE\]$/m,
      /^: \{"cost":"0\.\d+"/m,
      /^x-tokenhub-model: gpt-4\r$/im,
      /^x-tokenhub-provider: simulated-/im,
      /"usage":\{[^}]*"completion_tokens":\d+/,
      /^event: message_stop$/m,
      /^\{.*"score"/m,
    ],
  },
  {
    command: 'node',
    file: 'examples/openai-sdk.ts',
    holds: [/^cost: 0\.\d+ USD$/m, /^reasoning: [1-9]\d* characters, answer: [1-9]\d* characters$/m, /^first words/m],
  },
  {
    command: 'node',
    file: 'examples/anthropic-sdk.ts',
    holds: [
      /^claude-opus: [1-9]\d* tokens in, [1-9]\d* out, end_turn$/m,
      /^gpt-4: [1-9]\d* tokens in, [1-9]\d* out, end_turn$/m,
    ],
  },
  { command: 'python3', file: 'examples/stream.py', holds: [/\w+ \w+ \w+/, /^cost: 0\.\d+ USD$/m] },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const dataDir = await mkdtemp(join(tmpdir(), 'tokenhub-examples-'));
const gatewayPort = String(await findFreePort());
const start = await runStart({ TOKENHUB_DATA_DIR: dataDir, GATEWAY_PORT: gatewayPort });
let failures = 0;
try {
  await start.running;
  const apiKey = /^ {2}API key +(\S+)$/m.exec(start.output())?.[1];
  const env = {
    ...process.env,
    OPENAI_API_KEY: undefined,
    TOKENHUB_URL: `http://127.0.0.1:${gatewayPort}`,
    TOKENHUB_API_KEY: apiKey,
  };
  for (const example of EXAMPLES) failures += (await run(example, env)) ? 0 : 1;
  failures += checkConfiguration() ? 0 : 1;
} finally {
  start.child.kill('SIGTERM');
  const code = await start.ended;
  if (code !== 0) {
    say(`not ok  start ended with exit code ${String(code)}`);
    failures += 1;
  }
  await rm(dataDir, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

async function run({ command, file, holds }: (typeof EXAMPLES)[number], env: NodeJS.ProcessEnv): Promise<boolean> {
  const program = command === 'node' ? process.execPath : command;
  let output: string;
  try {
    const { stdout } = await promisify(execFile)(program, [file], {
      cwd: root,
      env,
      timeout: 60_000,
      maxBuffer: 2 ** 24,
    });
    output = stdout;
  } catch (error) {
    say(`not ok  ${file}\n${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
  const missing = holds.filter((pattern) => !pattern.test(output));
  if (missing.length === 0) say(`ok      ${file}`);
  else say(`not ok  ${file} does not print ${missing.map(String).join(', ')} but\n${output.slice(0, 4000)}`);
  return missing.length === 0;
}

/** The configuration that people copy must be a good one. */
function checkConfiguration(): boolean {
  const fileName = 'examples/tokenhub.yaml';
  const env = { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', TEAM_A_KEY: 'x'.repeat(16) };
  try {
    loadConfig(readFileSync(join(root, fileName), 'utf8'), { env, fileName });
    say(`ok      ${fileName}`);
    return true;
  } catch (error) {
    say(`not ok  ${fileName}\n${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

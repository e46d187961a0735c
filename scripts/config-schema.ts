import { readFileSync, writeFileSync } from 'node:fs';
import { configJsonSchema } from '@tokenhub/config';
import { format } from 'prettier';

const HELP = `Writes tokenhub.schema.json, from which editors complete the configuration file.

  node scripts/config-schema.ts            writes it
  node scripts/config-schema.ts --check    fails when the file is not what would be written`;

const file = new URL('../tokenhub.schema.json', import.meta.url);
const [argument] = process.argv.slice(2);
const text = await format(JSON.stringify(configJsonSchema()), { parser: 'json', printWidth: 120 });

if (argument === undefined) {
  writeFileSync(file, text);
} else if (argument !== '--check') {
  process.stdout.write(`${HELP}\n`);
  process.exitCode = argument === '--help' ? 0 : 1;
} else if (readIfThere() !== text) {
  process.stderr.write('tokenhub.schema.json is not up to date: run `node scripts/config-schema.ts`\n');
  process.exitCode = 1;
}

function readIfThere(): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

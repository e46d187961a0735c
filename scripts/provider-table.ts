import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PRESET_NAMES, PRESETS, type Preset, type PresetName, type Quirks } from '@tokenhub/core';
import { format, resolveConfig } from 'prettier';

const HELP = `Writes the table of docs/providers.md from the presets of @tokenhub/core.

  node --conditions=@tokenhub/source scripts/provider-table.ts            writes it
  node --conditions=@tokenhub/source scripts/provider-table.ts --check    fails when the table is not what would be written`;

const BEGIN = '<!-- table: begin -->';
const END = '<!-- table: end -->';

const file = fileURLToPath(new URL('../docs/providers.md', import.meta.url));
const [argument] = process.argv.slice(2);

if (argument !== undefined && argument !== '--check') {
  process.stdout.write(`${HELP}\n`);
  process.exitCode = argument === '--help' ? 0 : 1;
} else {
  const old = readFileSync(file, 'utf8');
  const text = await withTable(old);
  if (argument === undefined) {
    writeFileSync(file, text);
  } else if (text !== old) {
    process.stderr.write('docs/providers.md is not up to date: run `node scripts/provider-table.ts`\n');
    process.exitCode = 1;
  }
}

/** The page with the table of now between its marks. */
async function withTable(page: string): Promise<string> {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/providers.md has no ${BEGIN} … ${END}`);
  const head = '| `type` | Base URL | Key | APIs | In its requests and answers |\n| --- | --- | --- | --- | --- |';
  const rows = PRESET_NAMES.map((name) => writeRow(name, PRESETS[name]));
  const table = [head, ...rows].join('\n');
  const options = await resolveConfig(file);
  return format(`${before}${BEGIN}\n\n${table}\n\n${END}${after}`, { ...options, parser: 'markdown' });
}

function writeRow(name: PresetName, preset: Preset): string {
  const { baseUrl, apis, docs, quirks = {} } = preset;
  const cells = [
    `[\`${name}\`](${docs})`,
    baseUrl === undefined ? 'to be given' : `\`${baseUrl}\``,
    writeKey(preset),
    apis.map((api) => `\`${api}\``).join(', '),
    writeDifferences(quirks).join('; '),
  ];
  return `| ${cells.join(' | ')} |`;
}

function writeKey({ needsKey, keyHeader, baseUrl }: Preset): string {
  const header = keyHeader === 'authorization' ? '`authorization: Bearer`' : `\`${keyHeader}\``;
  if (needsKey) return header;
  return baseUrl?.startsWith('https:') === true ? `${header}, not on one’s own server` : `${header}, optional`;
}

/** In words, in the order of `Quirks`. */
function writeDifferences(quirks: Quirks): string[] {
  const { maxTokensMember, requiredToolChoice, reasoningMember, reasoningBack, refused } = quirks;
  return [
    maxTokensMember === undefined ? '' : `\`${maxTokensMember}\``,
    quirks.noStreamOptions === true ? 'no `stream_options`' : '',
    requiredToolChoice === undefined ? '' : `\`tool_choice: "${requiredToolChoice}"\``,
    quirks.shortToolCallIds === true ? 'tool call ids of nine characters' : '',
    quirks.bareToolCalls === true ? 'its tool calls get their `type` and `index`' : '',
    quirks.contentParts === true ? 'its content becomes a text, its thoughts `reasoning_content`' : '',
    quirks.bareReasoning === true ? 'its `reasoning` is `reasoning_content`, too' : '',
    writeReasoning(reasoningMember),
    reasoningBack === undefined ? '' : `earlier reasoning in \`${reasoningBack}\``,
    quirks.topK === true ? '`top_k`' : '',
    quirks.documentUrl === true ? 'documents as `document_url`' : '',
    quirks.cacheControl === true ? '`cache_control`' : '',
    refused === undefined ? '' : `without ${refused.map((member) => `\`${member}\``).join(', ')}`,
  ].filter((text) => text !== '');
}

function writeReasoning(member: Quirks['reasoningMember']): string {
  if (member === undefined) return '';
  return member === 'none' ? 'no wish for reasoning' : `wish for reasoning in \`${member}\``;
}

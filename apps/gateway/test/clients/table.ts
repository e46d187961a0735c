import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { expect } from 'vitest';
import type { Client } from './client.ts';
import type { Scenario } from './scenarios.ts';

const DOCUMENT = new URL('../../../../docs/clients.md', import.meta.url);
const MODULES = new URL('../../../../node_modules/', import.meta.url);

/** A model of the matrix, and how its provider's dialect is called in the table. */
export interface Column {
  readonly model: string;
  readonly dialect: string;
}

/** Which cells of the table hold: those whose cases all did. */
export class Findings {
  readonly #cells = new Map<string, boolean>();

  note(cell: readonly string[], held: boolean): void {
    const key = cell.join('\n');
    this.#cells.set(key, held && this.#cells.get(key) !== false);
  }

  /** `undefined`: nothing was noted. */
  holds(cell: readonly string[]): boolean | undefined {
    return this.#cells.get(cell.join('\n'));
  }
}

interface Facts {
  readonly clients: readonly Client[];
  readonly columns: readonly Column[];
  readonly scenarios: readonly Scenario[];
  readonly findings: Findings;
}

/** One table for each dialect, and the footnotes of all. */
export function toTables({ clients, columns, scenarios, findings }: Facts): string {
  const footnotes: string[] = [];
  const cell = (client: Client, { name, needs }: Scenario, model: string): string => {
    const note = client.notes?.find((one) => one.scenario === name && (one.model ?? model) === model)?.why;
    if (note !== undefined) {
      if (!footnotes.includes(note)) footnotes.push(note);
      return `[^${footnotes.indexOf(note) + 1}]`;
    }
    if (needs !== undefined && client[needs] === undefined) return '—';
    return findings.holds([client.name, model, name]) ? '✓' : '✗';
  };
  const tables = columns.map(({ model, dialect }) => {
    const rows = clients.map((client) => [
      `${client.name} ${versionOf(client.package)}`,
      client.surface,
      ...scenarios.map((scenario) => cell(client, scenario, model)),
    ]);
    const head = ['Library', 'Surface', ...scenarios.map(({ name }) => name)];
    const lines = [head, head.map(() => '---'), ...rows].map((line) => `| ${line.join(' | ')} |`);
    return `### ${dialect}\n\n${lines.join('\n')}\n`;
  });
  return [...tables, ...footnotes.map((note, index) => `[^${index + 1}]: ${note}\n`)].join('\n');
}

/**
 * Compares what stands between two marks of docs/clients.md with what would be written there, as prettier writes it. With
 * `UPDATE_TABLE=1` it is written instead, in one go, since another test may write another part.
 */
export async function expectInDocument(mark: string, text: string): Promise<void> {
  const begin = `<!-- ${mark}: begin -->`;
  const end = `<!-- ${mark}: end -->`;
  const written = (await format(text, { parser: 'markdown', proseWrap: 'preserve' })).trim();
  const document = readFileSync(DOCUMENT, 'utf8');
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`no ${begin} … ${end} in the document`);
  const expected = `${before}${begin}\n\n${written}\n\n${end}${after}`;
  if (process.env['UPDATE_TABLE'] === '1') writeFileSync(DOCUMENT, expected);
  else expect(document, 'run with UPDATE_TABLE=1 to rewrite it').toBe(expected);
}

function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, MODULES), 'utf8')) as { version: string };
  return manifest.version;
}

import { readFileSync } from 'node:fs';
import { format } from 'prettier';
import type { Client } from './client.ts';
import type { Scenario } from './scenarios.ts';

const BEGIN = '<!-- table: begin -->';
const END = '<!-- table: end -->';
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

  holds(cell: readonly string[]): boolean {
    return this.#cells.get(cell.join('\n')) === true;
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

/** The document with other tables between its two marks, as prettier writes it. */
export async function withTables(document: string, tables: string): Promise<string> {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`no ${BEGIN} … ${END} in the document`);
  return format(`${before}${BEGIN}\n\n${tables}\n${END}${after}`, { parser: 'markdown', proseWrap: 'preserve' });
}

function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, MODULES), 'utf8')) as { version: string };
  return manifest.version;
}

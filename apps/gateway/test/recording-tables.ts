import { PRESET_NAMES } from '@tokenhub/core';
import type { Surface } from './clients/client.ts';
import type { Findings } from './clients/table.ts';
import { presetOf, type Recording } from './recorded-providers.ts';
import { SURFACES } from './surface-readers.ts';

/** What is looked at in an answer. */
export const ASPECTS = ['text', 'tools', 'reasoning', 'citations', 'usage', 'finish', 'errors'] as const;
export type Aspect = (typeof ASPECTS)[number];

/** An aspect of a recording that is not read as it should be. */
export interface KnownFault {
  readonly surface: Surface;
  /** Of the recording. */
  readonly name: string;
  readonly aspect: Aspect;
  readonly why: string;
}

interface Facts {
  readonly recordings: readonly Recording[];
  readonly findings: Findings;
  readonly known: readonly KnownFault[];
}

/** One table for each surface, with a row for each folder of recordings and each preset that has none. */
export function toRecordingTables({ recordings, findings, known }: Facts): string {
  const folders = [...new Set(recordings.map(({ provider }) => provider))].toSorted();
  const missing = PRESET_NAMES.filter((name) => !folders.includes(name));
  const rowOf = (surface: Surface, folder: string): string[] => {
    const own = recordings.filter(({ provider }) => provider === folder);
    const presets = [...new Set(own.map(presetOf))].map((name) => `\`${name}\``);
    const cells = ASPECTS.map((aspect) => {
      const notes = known.flatMap((fault, index) =>
        fault.surface === surface && fault.aspect === aspect && fault.name.startsWith(`${folder}/`)
          ? [`[^r${index + 1}]`]
          : [],
      );
      return `${toMark(findings.holds([folder, surface, aspect]))}${notes.join('')}`;
    });
    return [folder, presets.join(', '), String(own.length), ...cells];
  };
  const tables = (Object.keys(SURFACES) as Surface[]).map((surface) => {
    const head = ['Recordings of', 'Served as', 'Number', ...ASPECTS];
    const rows = [
      ...folders.map((folder) => rowOf(surface, folder)),
      ...missing.map((name) => [name, `\`${name}\``, '0', ...ASPECTS.map(() => '?')]),
    ];
    const lines = [head, head.map(() => '---'), ...rows].map((line) => `| ${line.join(' | ')} |`);
    return `### Read on ${surface}\n\n${lines.join('\n')}\n`;
  });
  return [...tables, ...known.map(({ name, why }, index) => `[^r${index + 1}]: ${name}: ${why}\n`)].join('\n');
}

function toMark(holds: boolean | undefined): string {
  if (holds === undefined) return '—';
  return holds ? '✓' : '✗';
}

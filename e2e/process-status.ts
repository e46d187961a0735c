import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Service } from './start-processes.ts';

// All of it is read from `/proc`, so Linux only.

/** Memory in bytes: `VmRSS` is what the process has in RAM now, `VmHWM` the most it has had there. */
export function memoryOf({ process: { pid } }: Service, line: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** From now on `VmHWM` counts anew. */
export function forgetPeak({ process: { pid } }: Service): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export function openFilesOf({ process: { pid } }: Service): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its children have used. */
export interface ProcessUsage {
  /** Microseconds on a CPU since the start, all threads, user and system. */
  readonly cpuUs: number;
  /** Resident memory now. */
  readonly rssBytes: number;
}

const PAGE_BYTES = 4_096;
const TICK_US = 10_000;

/** Reads `/proc`, so Linux only. @throws Error when the process is gone. */
export function readProcessUsage(pid: number): ProcessUsage {
  const pids = [pid, ...childrenOf(pid)];
  return {
    cpuUs: pids.reduce((sum, id) => sum + cpuUsOf(id), 0),
    rssBytes: pids.reduce((sum, id) => sum + Number(fields(`/proc/${id}/statm`)[1]) * PAGE_BYTES, 0),
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || parentOf(Number(name)) !== pid) return [];
    return [Number(name), ...childrenOf(Number(name))];
  });
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return undefined; // ended since the folder was listed
  }
}

/** The scheduler's own sum is exact to the nanosecond; where the kernel keeps none, ticks of 10 ms have to do. */
function cpuUsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, id) => sum + Number(fields(`/proc/${pid}/task/${id}/schedstat`)[0]) / 1_000, 0);
  } catch {
    const stat = statOf(pid);
    return (Number(stat[11]) + Number(stat[12])) * TICK_US;
  }
}

/** The fields of `/proc/PID/stat` after the name, which may itself hold spaces: state, parent, … */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function fields(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split(' ');
}

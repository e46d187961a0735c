import { cpus } from 'node:os';

/** Gives the share of all cores' time that was used since the call, by whomever: 0 to 1. */
export function watchCores(): () => number {
  const sum = () => {
    const times = cpus().map((core) => core.times);
    const total = times.reduce((all, time) => all + Object.values(time).reduce((a, b) => a + b, 0), 0);
    return { total, idle: times.reduce((all, time) => all + time.idle, 0) };
  };
  const before = sum();
  return () => {
    const { total, idle } = sum();
    return 1 - (idle - before.idle) / (total - before.total);
  };
}

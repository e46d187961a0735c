import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

/** How much a process takes on at a time. */
export interface Capacity {
  /** Most chat requests in flight, streamed or not; more are refused at once. */
  readonly requests: number;
  /** Most bytes of request bodies in flight; more are refused at once. */
  readonly bodyBytes: number;
  /** Most requests that wait for the quota store; more are refused at once. */
  readonly admissions: number;
  /** Most connections of callers; more are closed as soon as they are made. */
  readonly connections: number;
}

export interface Resources {
  /** Most memory that V8 may use, in bytes. */
  readonly heapBytes: number;
  /** Most files that the process may have open; `undefined` where that is not known. */
  readonly openFiles: number | undefined;
}

const MOST_REQUESTS = 10_000;
const MOST_ADMISSIONS = 1_000;
/** What the process needs when nothing is in flight. */
const IDLE_HEAP_BYTES = 128 * 1024 * 1024;
/** Of a stream, measured, its request's body apart. */
const HEAP_BYTES_PER_REQUEST = 64 * 1024;
/** Read, a body takes up to four times its size. */
const BODIES_SHARE = 1 / 8;
/** For Redis, the ledger, the log and what Node opens for itself; of a very small number a quarter. */
const OTHER_FILES = 128;

/**
 * What a process can take on without running out of memory or sockets. A third of its sockets is for requests, each of
 * which takes one of a provider; two thirds are for callers, so that those beyond the bound still get an answer.
 * @param mostRequests the operator's own bound.
 */
export function toCapacity({ heapBytes, openFiles = Infinity }: Resources, mostRequests = MOST_REQUESTS): Capacity {
  const sockets = openFiles - Math.min(OTHER_FILES, openFiles / 4);
  const byHeap = Math.max(1, (heapBytes - IDLE_HEAP_BYTES) / HEAP_BYTES_PER_REQUEST);
  const requests = Math.floor(Math.min(mostRequests, byHeap, sockets / 3));
  return {
    requests,
    bodyBytes: Math.floor(heapBytes * BODIES_SHARE),
    admissions: Math.min(MOST_ADMISSIONS, requests),
    connections: openFiles === Infinity ? Infinity : Math.floor((sockets * 2) / 3),
  };
}

/** What the system grants this process. */
export function readResources(): Resources {
  return { heapBytes: getHeapStatistics().heap_size_limit, openFiles: readOpenFilesLimit() };
}

/** Linux tells it in /proc, other systems only to programs that ask in C. */
function readOpenFilesLimit(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}

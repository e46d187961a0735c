import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settlement } from '../quota/quota.ts';
import { readSpoolLine, writeSpoolLine } from './spool-line.ts';

/**
 * Settlements that the store has not confirmed, on disk: they survive the end of their process. Every process has a file of
 * its own, which is there only while something is in it.
 */
export interface Spool {
  /** Settlements in the file that are not confirmed yet. */
  readonly size: number;
  /** The last attempt to write has failed: what is settled now would not survive this process. */
  readonly isFailing: boolean;
  /**
   * Resolves when it is on the disk, in the place of an earlier one of the same request. Rejects when it cannot be written, which
   * is tried again with the next `touch`.
   */
  add(settlement: Settlement): Promise<void>;
  /** The store has it. A file of which everything is confirmed is removed. */
  confirm(requestId: string): Promise<void>;
  /**
   * Says that this process lives and its file is in use; a file that was taken for abandoned meanwhile is written anew. To be
   * called about once a second.
   */
  touch(): Promise<void>;
  /**
   * Settles what processes have left that live no more, and removes their files. A file with lines that cannot be read is
   * kept under another name, and told of.
   */
  recover(settle: (settlement: Settlement) => Promise<void>): Promise<Recovered>;
  /** Lets go of the file; what is in it waits for whoever recovers it. */
  close(): Promise<void>;
}

export interface Recovered {
  readonly settlements: number;
  /** Files that hold lines which could not be read. */
  readonly damaged: readonly string[];
}

export interface SpoolOptions {
  /** Made when it is needed. Processes on one machine may share it. */
  readonly directory: string;
  /** A file that nobody has touched for so long has no process any more. @defaultValue 10_000 */
  readonly abandonedMs?: number | undefined;
  /** Milliseconds since 1970, by the clock of the file system. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

const EXTENSION = '.jsonl';

export function createSpool(options: SpoolOptions): Spool {
  return new FileSpool(options);
}

interface Waiting {
  readonly settlement: Settlement;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class FileSpool implements Spool {
  readonly #directory: string;
  readonly #path: string;
  readonly #abandonedMs: number;
  readonly #now: () => number;
  /** What is in the file. */
  readonly #unconfirmed = new Map<string, Settlement>();
  /** What could not be written. */
  readonly #unwritten = new Map<string, Settlement>();
  /** What one write takes along, while another one is under way. */
  #waiting: Waiting[] = [];
  /** One thing at a time is done with the file. */
  #turn: Promise<void> = Promise.resolve();
  #file: FileHandle | undefined;
  #isFailing = false;

  constructor({ directory, abandonedMs = 10_000, now = Date.now }: SpoolOptions) {
    this.#directory = directory;
    this.#path = join(directory, randomUUID() + EXTENSION);
    this.#abandonedMs = abandonedMs;
    this.#now = now;
  }

  get size(): number {
    return this.#unconfirmed.size;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  add(settlement: Settlement): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ settlement, resolve, reject });
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#writeWaiting());
    });
  }

  async confirm(requestId: string): Promise<void> {
    this.#unwritten.delete(requestId);
    if (this.#unconfirmed.delete(requestId) && this.#unconfirmed.size === 0) await this.#inTurn(() => this.#remove());
  }

  touch(): Promise<void> {
    if (this.#file === undefined && !this.#isFailing) return Promise.resolve();
    return this.#inTurn(async () => {
      if (this.#isFailing) await this.#write([...this.#unwritten.values()]);
      if (this.#file === undefined) return;
      const now = this.#now() / 1000;
      await this.#file.utimes(now, now);
      await this.#keepFile();
      await this.#remove();
    });
  }

  async recover(settle: (settlement: Settlement) => Promise<void>): Promise<Recovered> {
    const names = await readdir(this.#directory).catch(() => []);
    let settlements = 0;
    const damaged: string[] = [];
    for (const name of names.filter((each) => each.endsWith(EXTENSION))) {
      const path = join(this.#directory, name);
      if (path === this.#path || !(await this.#isAbandoned(path))) continue;
      const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
      const read = lines.map(readSpoolLine);
      for (const settlement of latestOf(read)) {
        await settle(settlement);
        settlements++;
      }
      if (read.includes(undefined)) {
        await rename(path, `${path}.damaged`);
        damaged.push(`${path}.damaged`);
      } else await rm(path, { force: true });
    }
    return { settlements, damaged };
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
  }

  async #isAbandoned(path: string): Promise<boolean> {
    // It may have been removed by its process meanwhile
    const found = await stat(path).catch(() => undefined);
    return found !== undefined && this.#now() - found.mtimeMs > this.#abandonedMs;
  }

  async #writeWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await this.#write(waiting.map(({ settlement }) => settlement));
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async #write(settlements: readonly Settlement[]): Promise<void> {
    for (const settlement of settlements) this.#unwritten.set(settlement.requestId, settlement);
    try {
      await this.#append(settlements);
      await this.#keepFile();
      this.#isFailing = false;
    } catch (error) {
      this.#isFailing = true;
      // A line may have been torn by a full disk: what follows must not be glued to it
      await this.#file?.appendFile('\n').catch(() => {});
      throw error;
    }
    for (const settlement of settlements) {
      // One that was confirmed meanwhile may stay in the file: settling it again changes nothing
      if (this.#unwritten.delete(settlement.requestId)) this.#unconfirmed.set(settlement.requestId, settlement);
    }
  }

  async #append(settlements: readonly Settlement[]): Promise<void> {
    if (this.#file === undefined) {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      this.#file = await open(this.#path, 'a', 0o600);
    }
    await this.#file.appendFile(`${settlements.map(writeSpoolLine).join('')}\n`);
    await this.#file.datasync();
  }

  /** Writes the file anew that somebody has taken for abandoned, be it while something was added to it. */
  async #keepFile(): Promise<void> {
    if (this.#file === undefined || (await exists(this.#path))) return;
    await this.#file.close();
    this.#file = undefined;
    await this.#append([...this.#unconfirmed.values(), ...this.#unwritten.values()]);
  }

  /** Unless something has been added while the last one was confirmed. */
  async #remove(): Promise<void> {
    if (this.#unconfirmed.size > 0 || this.#unwritten.size > 0 || this.#waiting.length > 0) return;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    await rm(this.#path, { force: true });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** Of each request what was written last. */
function latestOf(read: readonly (Settlement | undefined)[]): Iterable<Settlement> {
  const latest = new Map<string, Settlement>();
  for (const settlement of read) if (settlement !== undefined) latest.set(settlement.requestId, settlement);
  return latest.values();
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** A Lua script and the name that the store knows it by once it has run there. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** From `src/quota` and from `dist/quota` alike: the package ships its sources, so the build has nothing to copy. */
const LUA_DIRECTORY = new URL('../../src/quota/lua/', import.meta.url);

const shared = readFileSync(new URL('shared.lua', LUA_DIRECTORY), 'utf8');

type ScriptName =
  'reserve' | 'settle' | 'renew' | 'extend' | 'read' | 'remove' | 'seed' | 'snapshot' | 'repair' | 'adjust';

/** Reads `lua/<name>.lua`, with the shared functions in front of it. */
export function loadScript(name: ScriptName): Script {
  const source = shared + readFileSync(new URL(`${name}.lua`, LUA_DIRECTORY), 'utf8');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

/** What a script is called with: its keys, then its other arguments. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/**
 * Runs a script by its digest; sends the source only to a store that does not know it (yet, or any more).
 * `Reply` is what the script's header says that it returns.
 */
export function runScript<Reply>(redis: Redis | Cluster, script: Script, { keys, args }: ScriptCall): Promise<Reply> {
  const reply = redis.evalsha(script.sha, keys.length, ...keys, ...args).catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return redis.eval(script.source, keys.length, ...keys, ...args);
  });
  // oxlint-disable-next-line no-unsafe-type-assertion -- our own script answers, and a schema would cost as much as the call
  return reply as Promise<Reply>;
}

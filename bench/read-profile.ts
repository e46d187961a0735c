import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions that took the most time themselves, from the newest `.cpuprofile` of a folder, one line each. */
export async function readProfile(directory: string, most: number): Promise<string[]> {
  const file = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile')).at(-1);
  if (file === undefined) return [`no profile in ${directory}`];
  // Written by Node itself, whose format this is.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as Profile;
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=(?:apps|packages|node_modules)\/)/, '')}:${lineNumber + 1}`,
    ]),
  );
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '';
    const deltaUs = profile.timeDeltas[index] ?? 0;
    if (name.startsWith('(idle)')) continue;
    totalUs += deltaUs;
    selfUs.set(name, (selfUs.get(name) ?? 0) + deltaUs);
  }
  const top = [...selfUs].toSorted(([, a], [, b]) => b - a).slice(0, most);
  return [
    join(directory, file),
    ...top.map(([name, us]) => `${((100 * us) / totalUs).toFixed(1).padStart(5)} %  ${name}`),
  ];
}

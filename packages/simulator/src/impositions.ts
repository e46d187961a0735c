import { parseDirectives, type Directives } from './directives.ts';

/** Directives that hold for all requests below a path, whatever these say themselves. */
export interface Imposition {
  readonly directives: Directives;
  /** Different each time, so that `times` and `every` count anew. */
  readonly key: string;
}

/** What is imposed on which paths at the moment. */
export class Impositions {
  readonly #byPrefix = new Map<string, Imposition>();
  #number = 0;

  /**
   * Replaces what was imposed on this prefix; `undefined` lifts it.
   * @throws DirectiveError
   */
  impose(pathPrefix: string, directives: string | undefined): void {
    if (directives === undefined) {
      this.#byPrefix.delete(pathPrefix);
      return;
    }
    const key = `imposed ${++this.#number}`;
    this.#byPrefix.set(pathPrefix, { directives: parseDirectives(directives), key });
  }

  /** What holds for the path: the longest of the prefixes that it begins with, with or without its `/sim/…`. */
  on(path: string): Imposition | undefined {
    if (this.#byPrefix.size === 0) return undefined;
    const plainPath = path.replace(/^\/sim\/[^/]*/, '');
    let longest = '';
    for (const prefix of this.#byPrefix.keys()) {
      const matches = path.startsWith(prefix) || plainPath.startsWith(prefix);
      if (matches && prefix.length >= longest.length) longest = prefix;
    }
    return this.#byPrefix.get(longest);
  }
}

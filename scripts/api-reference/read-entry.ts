import { relative, sep } from 'node:path';
import { type Declaration, type DeclarationModule, readModule } from './read-module.ts';

/** A name that can be imported from an entry of a package. */
export interface ExportedName extends Declaration {
  readonly name: string;
  /** Where it is declared: the path within the root, with `/` and without its ending. */
  readonly place: string;
  /** Names of the package that its declaration speaks of, sorted. */
  readonly mentions: readonly string[];
}

/** All names that can be imported from an entry, in the order in which it exports them. `root` is the folder of the build. */
export function readEntry(entry: string, root: string): ExportedName[] {
  const modules = new Map<string, DeclarationModule>();
  const open = (file: string): DeclarationModule => {
    const module = modules.get(file) ?? readModule(file);
    modules.set(file, module);
    return module;
  };

  /** Follows a name from file to file to its declaration. */
  function find(name: string, file: string): { file: string; declared: string; declaration: Declaration } {
    const { declarations, exports, imports } = open(file);
    const target = exports.get(name);
    const next = target?.file === undefined ? imports.get(target?.name ?? name) : target;
    if (next?.file !== undefined) return find(next.name, next.file);
    const declared = target?.name ?? name;
    const declaration = declarations.get(declared);
    if (declaration === undefined) throw new Error(`${file} declares no ${name}`);
    return { file, declared, declaration };
  }

  return Array.from(open(entry).exports.keys(), (name) => {
    const { file, declared, declaration } = find(name, entry);
    const { declarations, imports } = open(file);
    const known = [...declarations.keys(), ...imports.keys()].filter((other) => other !== declared);
    const words = new Set(withoutText(declaration.code).match(/\w+/g));
    return {
      name,
      ...declaration,
      place: relative(root, file)
        .replaceAll(sep, '/')
        .replace(/\.d\.ts$/, ''),
      mentions: known.filter((other) => words.has(other)).toSorted(),
    };
  });
}

/** Without comments and strings, and without names of members and parameters. */
function withoutText(code: string): string {
  return code.replace(/\/\*[^]*?\*\/|'[^']*'/g, '').replace(/\w+\??:/g, '');
}

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a `.d.ts` file declares, gives on and takes in. */
export interface DeclarationModule {
  /** By name; overloads of a function are one declaration. */
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** By the name that importers use. */
  readonly exports: ReadonlyMap<string, Target>;
  /** Names from other files of the package, by the name they have in this one. */
  readonly imports: ReadonlyMap<string, Target>;
}

/** A declaration as the compiler has written it. */
export interface Declaration {
  /** The comment in front of it, its stars taken off; `undefined` when there is none. */
  readonly doc: string | undefined;
  readonly code: string;
}

/** Where a name leads: to a name in another file, or in the same one when `file` is absent. */
export interface Target {
  readonly name: string;
  readonly file?: string | undefined;
}

/** Comments and strings, which may hold anything, and what structures the rest. */
const TOKEN = /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|[{}()[\];]/g;
const DECLARED =
  /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|enum|type|const|let|function|namespace) (\w+)/;
/** What ends with its closing brace; all else ends with a semicolon. */
const ENDS_WITH_BRACE = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|enum|namespace) /;
const NAMES = /^(import|export) (?:type )?\{([^}]*)\}(?: from '([^']*)')?;$/;

/**
 * Reads a file that the TypeScript compiler has emitted. It is no parser of TypeScript: it relies on how the compiler writes
 * declarations, and throws at whatever it does not know, so that nothing is left out in silence.
 */
export function readModule(file: string): DeclarationModule {
  const declarations = new Map<string, Declaration>();
  const exports = new Map<string, Target>();
  const imports = new Map<string, Target>();
  for (const { doc, code } of splitStatements(readFileSync(file, 'utf8'))) {
    const name = DECLARED.exec(code)?.[1];
    const [, keyword, names = '', from] = NAMES.exec(code) ?? [];
    if (name !== undefined) {
      const overload = declarations.get(name);
      declarations.set(name, {
        doc: overload?.doc ?? doc,
        code: overload === undefined ? code : `${overload.code}\n${code}`,
      });
      if (code.startsWith('export ')) exports.set(name, { name });
    } else if (keyword !== undefined) {
      const isForeign = from !== undefined && !from.startsWith('.');
      if (isForeign && keyword === 'export') throw new Error(`${file}: cannot follow ${code}`);
      if (isForeign) continue;
      const target = from === undefined ? undefined : join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts'));
      for (const [outer, inner] of splitNames(names)) {
        if (keyword === 'import') imports.set(outer, { name: inner, file: target });
        else exports.set(outer, { name: inner, file: target });
      }
    } else if (!/^import (?:'|\w+ from '|\* as \w+ from '(?!\.))/.test(code)) {
      throw new Error(`${file}: cannot read ${code}`);
    }
  }
  return { declarations, exports, imports };
}

/** `a, type b as c` gives `a` from `a` and `c` from `b`. */
function splitNames(names: string): (readonly [outer: string, inner: string])[] {
  return names
    .split(',')
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '')
    .map((name) => {
      const [inner = name, outer = inner] = name.split(' as ');
      return [outer, inner] as const;
    });
}

/** Cuts a file at the ends of its outermost statements; the last comment in front of one is its docstring. */
function splitStatements(text: string): Declaration[] {
  const statements: Declaration[] = [];
  let depth = 0;
  let doc: string | undefined;
  /** Where the statement begins, comments taken off. */
  let start = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const end = index + token.length;
    const code = text.slice(start, end).trim();
    if (token.startsWith('/')) {
      if (code !== token) continue;
      doc = token.startsWith('/**') ? stripStars(token) : undefined;
      start = end;
      continue;
    }
    if ('{(['.includes(token)) depth++;
    if ('})]'.includes(token)) depth--;
    const isEnd =
      token === ';' || (token === '}' && ENDS_WITH_BRACE.test(code) && /^\s*(?:\n|$)/.test(text.slice(end)));
    if (depth > 0 || !isEnd) continue;
    statements.push({ doc, code });
    doc = undefined;
    start = end;
  }
  if (depth !== 0 || text.slice(start).trim() !== '') throw new Error(`cannot read ${text.slice(start, start + 200)}`);
  return statements;
}

function stripStars(comment: string): string {
  return comment
    .slice(3, -2)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

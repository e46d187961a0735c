import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import type { Problem } from './config-error.ts';
import { substituteVariables, type Environment } from './substitute-variables.ts';

/** Where a value stands: member names and indexes from the root. */
export type Path = readonly PropertyKey[];

/** A YAML text as plain data, with the way back from data to lines. */
export interface ConfigDocument {
  readonly value: unknown;
  /** False when the text is no YAML; then there is no value. */
  readonly isYaml: boolean;
  /** What is wrong with the text as YAML, or with its variables. */
  readonly problems: readonly Problem[];
  /** Values that lack a variable: nothing else is worth saying of them. */
  readonly incomplete: readonly Path[];
  /** Line of a member, or of the nearest one above it that is there. */
  lineOf(path: Path): number | undefined;
}

/** Reads YAML (so JSON too) and puts variables into its scalars: after parsing, so that no value can become structure. */
export function parseConfigDocument(text: string, env: Environment): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  // What a parser says after its first error is mostly about its own confusion.
  const [error] = document.errors;
  if (error !== undefined) return notYaml(error.message, lineAt(error.pos[0]));

  const problems: Problem[] = [];
  const incomplete: Path[] = [];
  visit(document, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key' || typeof scalar.value !== 'string') return;
      const { text: value, missing } = substituteVariables(scalar.value, env);
      scalar.value = value;
      if (missing.length === 0) return;
      const path = pathOf([...ancestors, scalar]);
      incomplete.push(path);
      for (const name of missing) {
        const message = `needs the environment variable ${name}, which is not set; set it, or write \${${name}:-default}`;
        problems.push({ line: lineAt(scalar.range?.[0] ?? 0), path: formatPath(path), message });
      }
    },
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    return notYaml(cause instanceof Error ? cause.message : String(cause));
  }
  return {
    value,
    isYaml: true,
    problems,
    incomplete,
    lineOf: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : lineAt(offset);
    },
  };
}

function notYaml(message: string, line?: number): ConfigDocument {
  const problems = [{ line, path: '', message: `is not valid YAML: ${message}` }];
  return { value: undefined, isYaml: false, problems, incomplete: [], lineOf: () => undefined };
}

/** `['models', 0, 'price']` as people write it: `models[0].price`. */
export function formatPath(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

/** The path of the last of these nodes, each of which holds the next. */
function pathOf(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, index): (string | number)[] => {
    if (isPair(node)) return [isScalar(node.key) ? String(node.key.value) : ''];
    return isSeq(node) ? [node.items.indexOf(nodes[index + 1])] : [];
  });
}

function offsetOf(document: Document.Parsed, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0];
  for (const part of path) {
    const parent: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      // A member stands where its name stands, also when its value begins a line later.
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(parent)) {
      node = parent.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

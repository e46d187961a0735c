import { inspect } from 'node:util';
import { OperatorError } from './operator-error.ts';
import type { Environment } from './substitute-variables.ts';

/** One variable of the environment. */
export interface Setting<Value> {
  /** What it is for and what would be right, for `--help` and for the message when it is wrong. */
  readonly help: string;
  /** Value when it is not set or empty; without one the variable is required. */
  readonly default?: Value;
  /** @throws Error whose message goes on after the name: "must be …". */
  readonly parse: (text: string) => Value;
}

/** The values of a set of {@link Setting}s, by their names. */
export type SettingsOf<Spec> = {
  readonly [Name in keyof Spec]: Spec[Name] extends Setting<infer Value> ? Value : never;
};

/** Variables that are wrong or missing, all of them; no value is in it. */
export class SettingsError extends OperatorError {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads what a program needs of the environment. An empty variable counts as one that is not set.
 * @throws SettingsError with all problems, each with the variable's name and what would be right.
 */
export function readSettings<Spec extends Readonly<Record<string, Setting<unknown>>>>(
  env: Environment,
  spec: Spec,
): SettingsOf<Spec> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(spec)) {
    const text = env[name];
    if (text === undefined || text === '') {
      if (!('default' in setting)) problems.push(`${name} is not set. ${setting.help}`);
      values[name] = setting.default;
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}. ${setting.help}`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
  // Every name of the spec has its parsed or its default value by now, which the compiler cannot see.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return values as SettingsOf<Spec>;
}

/** Any text. */
export function parseText(text: string): string {
  return text;
}

export function parsePort(text: string): number {
  return parseIntegerBetween(0, 65_535)(text);
}

/** A whole number in a range, both ends included. */
export function parseIntegerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new RangeError(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

/** One of some words. */
export function parseOneOf<const Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new RangeError(`must be one of ${words.join(', ')}`);
    return found;
  };
}

/**
 * Runs a program's main function. An {@link OperatorError} is printed as its message alone, anything else with its stack; either
 * way the exit code is 1.
 */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof OperatorError ? `Cannot start:\n${error.message}` : inspect(error);
    process.stderr.write(`${text}\n`, () => process.exit(1));
  }
}

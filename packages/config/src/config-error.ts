import { OperatorError } from './operator-error.ts';

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** From 1; absent when it is about something that is not in the file. */
  readonly line?: number | undefined;
  /** As in `models[0].price.input`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what would be right; reads on after the path. */
  readonly message: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. No value of the file or the environment is in it. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(fileName: string, problems: readonly Problem[]) {
    const lines = problems.map(({ line, path, message }) => {
      const place = line === undefined ? fileName : `${fileName}:${line}`;
      return path === '' ? `${place}: ${message}` : `${place}: ${path} ${message}`;
    });
    super(lines.join('\n'));
    this.problems = problems;
  }
}

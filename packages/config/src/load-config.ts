import { ConfigError, type Problem } from './config-error.ts';
import { formatPath, parseConfigDocument, type Path } from './config-document.ts';
import { configSchema } from './config-schema.ts';
import type { Config } from './config.ts';
import { describeIssue, toPathsAndMessages } from './describe-issue.ts';
import type { Environment } from './substitute-variables.ts';
import { toConfig } from './to-config.ts';

export interface LoadConfigOptions {
  /** Where `${NAME}` is looked up. */
  readonly env: Environment;
  /** For messages. */
  readonly fileName: string;
}

/**
 * Reads a configuration file: YAML, variables, shape, references, prices and addresses.
 * @throws ConfigError with all problems at once, in the order of their lines.
 */
export function loadConfig(text: string, { env, fileName }: LoadConfigOptions): Config {
  const document = parseConfigDocument(text, env);
  const problems: Problem[] = [...document.problems];
  const incomplete = new Set(document.incomplete.map(formatPath));
  const report = (path: Path, message: string): void => {
    const isIncomplete = path.some((_, index) => incomplete.has(formatPath(path.slice(0, index + 1))));
    if (!isIncomplete) problems.push({ line: document.lineOf(path), path: formatPath(path), message });
  };

  if (document.isYaml) {
    const { error } = configSchema.safeParse(document.value, { error: describeIssue });
    for (const [path, message] of error?.issues.flatMap(toPathsAndMessages) ?? []) report(path, message);
    const config = toConfig(document.value, report);
    if (problems.length === 0) return config;
  }
  throw new ConfigError(
    fileName,
    problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0)),
  );
}

import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { loadConfig } from './load-config.ts';
import { OperatorError } from './operator-error.ts';
import type { Environment } from './substitute-variables.ts';

/**
 * Reads the configuration from the file that `TOKENHUB_CONFIG` names.
 * @throws OperatorError when it cannot be read, ConfigError with all that is wrong in it
 */
export function readConfig(fileName: string, env: Environment): Config {
  return loadConfig(readText(fileName), { env, fileName });
}

function readText(fileName: string): string {
  try {
    return readFileSync(fileName, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const fault = code === 'ENOENT' ? 'is not there' : `cannot be read (${String(code)})`;
    const remedy = 'Name another one with TOKENHUB_CONFIG; examples/tokenhub.yaml is one to begin with.';
    throw new OperatorError(`The configuration file ${fileName} ${fault}. ${remedy}`, { cause });
  }
}

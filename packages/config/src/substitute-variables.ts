/** The environment, or a part of it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly text: string;
  /** Names that stand in the text without a default and are not set. */
  readonly missing: readonly string[];
}

/** `$${` stands for the two characters themselves. */
const REFERENCE = /\$(?:\$(?=\{)|\{([A-Za-z_]\w*)(?::-([^}]*))?\})/g;

/**
 * Puts the environment's values in place of `${NAME}` and `${NAME:-default}`. As in a shell's `:-`, an empty variable counts
 * as one that is not set. What is put in is not looked at again.
 */
export function substituteVariables(text: string, env: Environment): Substitution {
  const missing: string[] = [];
  const replaced = text.replace(REFERENCE, (_match, name?: string, fallback?: string) => {
    if (name === undefined) return '$';
    const value = env[name] || fallback;
    if (value === undefined) missing.push(name);
    return value ?? '';
  });
  return { text: replaced, missing };
}

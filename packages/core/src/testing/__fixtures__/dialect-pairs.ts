import { anthropicDialect } from '../../dialects/anthropic/anthropic-dialect.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { openaiDialect } from '../../dialects/openai/openai-dialect.ts';
import { responsesDialect } from '../../dialects/responses/responses-dialect.ts';

const DIALECTS: readonly Dialect[] = [openaiDialect, anthropicDialect, responsesDialect];

export interface DialectPair {
  readonly name: string;
  readonly from: Dialect;
  readonly to: Dialect;
}

/** Every ordered pair of the chat dialects, each with itself too. */
export const DIALECT_PAIRS: readonly DialectPair[] = DIALECTS.flatMap((from) =>
  DIALECTS.map((to) => ({ name: `${from.name} to ${to.name}`, from, to })),
);

export function involves({ from, to }: DialectPair, name: Dialect['name']): boolean {
  return from.name === name || to.name === name;
}

import { readdirSync, readFileSync } from 'node:fs';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import { openaiDialect } from '../dialects/openai/openai-dialect.ts';
import { responsesDialect } from '../dialects/responses/responses-dialect.ts';
import { describeDialect } from './index.ts';

for (const dialect of [openaiDialect, anthropicDialect, responsesDialect]) {
  const folder = new URL(`../dialects/${dialect.name}/__fixtures__/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.sse'));
  describeDialect(
    dialect,
    files.map((file) => ({ name: file, bytes: new Uint8Array(readFileSync(new URL(file, folder))) })),
  );
}

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, startTestGateway, type TestGateway } from '../test-gateway.ts';
import type { Client, Note } from './client.ts';
import { CLIENTS } from './clients.ts';
import { SCENARIOS } from './scenarios.ts';
import { Findings, toTables, withTables, type Column } from './table.ts';

const DOCUMENT = new URL('../../../../docs/clients.md', import.meta.url);
const COLUMNS: readonly Column[] = [
  { model: 'gpt-4', dialect: 'Models of providers that speak OpenAI’s dialect' },
  { model: 'claude-sonnet-4', dialect: 'Models of providers that speak Anthropic’s dialect' },
  { model: 'llama', dialect: 'Models of vLLM' },
];

const findings = new Findings();
let hub: TestGateway;
let planned = 0;
let run = 0;
beforeAll(async () => {
  // One attempt: the pauses between several would be most of the time this takes.
  hub = await startTestGateway({ config: `${ALL_PROVIDERS}\nrouting: { max_attempts: 1 }\n` });
});
afterAll(() => hub.close());

describe.each(CLIENTS)('$name', (client) => {
  describe.each(COLUMNS)('with $model', ({ model }) => {
    for (const { name, needs, cases } of SCENARIOS) {
      if (needs !== undefined && client[needs] === undefined) continue;
      for (const [sentence, check] of Object.entries(cases)) {
        planned++;
        // What a library is known to do wrong is tried all the same, so that the note goes when the fault does.
        const test = isKnown(client, { scenario: name, case: sentence, model }) ? it.fails : it;
        test(sentence, async () => {
          run++;
          let held = false;
          try {
            await check({ hub, client, model });
            held = true;
          } finally {
            findings.note([client.name, model, name], held);
          }
        });
      }
    }
  });
});

it('has the table of docs/clients.md', async ({ skip }) => {
  if (run < planned) skip('only some of the matrix was run');
  const document = readFileSync(DOCUMENT, 'utf8');
  const expected = await withTables(
    document,
    toTables({ clients: CLIENTS, columns: COLUMNS, scenarios: SCENARIOS, findings }),
  );
  if (process.env['UPDATE_TABLE'] === '1') writeFileSync(DOCUMENT, expected);
  else expect(document, 'run with UPDATE_TABLE=1 to rewrite it').toBe(expected);
});

function isKnown({ notes = [] }: Client, cell: Required<Omit<Note, 'why'>>): boolean {
  return notes.some(
    (note) =>
      note.scenario === cell.scenario &&
      (note.case ?? cell.case) === cell.case &&
      (note.model ?? cell.model) === cell.model,
  );
}

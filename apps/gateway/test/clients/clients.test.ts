import { afterAll, beforeAll, describe, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../test-gateway.ts';
import type { Client, Note } from './client.ts';
import { CLIENTS } from './clients.ts';
import { SCENARIOS, toConfig } from './scenarios.ts';
import { expectInDocument, Findings, toTables, type Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { model: 'gpt-4', dialect: 'Models of providers that speak OpenAI’s dialect' },
  { model: 'claude-sonnet-4', dialect: 'Models of providers that speak Anthropic’s dialect' },
  { model: 'llama', dialect: 'Models of vLLM' },
];

const findings = new Findings();
let hub: TestGateway;
let full: TestGateway;
let planned = 0;
let run = 0;
beforeAll(async () => {
  hub = await startTestGateway({ config: toConfig(CLIENTS) });
  full = await startTestGateway({ config: toConfig(CLIENTS), beside: hub, maxRequests: 0 });
});
afterAll(async () => {
  await full.close();
  await hub.close();
});

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
            await check({ hub, fullUrl: full.url, client, model });
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
  await expectInDocument('table', toTables({ clients: CLIENTS, columns: COLUMNS, scenarios: SCENARIOS, findings }));
});

function isKnown({ notes = [] }: Client, cell: Required<Omit<Note, 'why'>>): boolean {
  return notes.some(
    (note) =>
      note.scenario === cell.scenario &&
      (note.case ?? cell.case) === cell.case &&
      (note.model ?? cell.model) === cell.model,
  );
}

import { expect, test } from 'vitest';
import { banner } from './banner.ts';

const FACTS = { gatewayUrl: 'http://127.0.0.1:8080', accountingUrl: 'http://127.0.0.1:8081', redis: '', config: '' };

function bodyIn(text: string): unknown {
  return JSON.parse(/ -d '(.*)'$/m.exec(text)?.[1] ?? '');
}

test('the line to paste names a model of the demo', () => {
  expect(bodyIn(banner({ ...FACTS, demoKey: 'tokenhub_x', model: 'gpt-4' }))).toMatchObject({ model: 'gpt-4' });
});

test("the line to paste names no model where the configuration is one's own", () => {
  expect(bodyIn(banner(FACTS))).toEqual({ stream: true, messages: [expect.anything()] });
});
